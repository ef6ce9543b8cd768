// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A column of a channel: its name, and what may stand in it.
package struct Column: Sendable, Hashable {
  /// What may stand in a column.
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case integer, integerOrNull
    /// Nanoseconds since 1970, or the same as text (``TimeFormat``).
    case time, timeOrNull
    /// A number with a point, or null.
    case decimalOrNull
    case string, stringOrNull
    case bool, boolOrNull
    /// An array of strings.
    case strings
    /// An array of integers.
    case integers
  }

  /// The name.
  package let name: String
  /// What may stand in it.
  package let kind: Kind

  /// Describes a column.
  package init(_ name: String, _ kind: Kind) {
    self.name = name
    self.kind = kind
  }
}

extension Channel {
  /// The columns of the channel's lines, in their order.
  package var columns: [Column] {
    let common = [
      Column("v", .integer), Column("run", .string), Column("seq", .integer),
      Column("ts_recv", .time), Column("ts_event", .timeOrNull),
    ]
    switch self {
    case .raw: return common + Self.rawColumns
    case .quote: return common + Self.quoteColumns
    case .gap: return common + Self.gapColumns
    default: return common + (RowTable(self)?.columns ?? [])
    }
  }

  private static let rawColumns = [
    Column("mono", .integer), Column("dir", .string), Column("op", .string),
    Column("topic", .stringOrNull), Column("msg", .stringOrNull), Column("b64", .stringOrNull),
    Column("redacted", .bool),
  ]

  private static let quoteColumns = [
    Column("conid", .integer), Column("symbol", .string), Column("snapshot", .bool),
    Column("bid", .decimalOrNull), Column("bid_size", .decimalOrNull),
    Column("ask", .decimalOrNull), Column("ask_size", .decimalOrNull),
    Column("last", .decimalOrNull), Column("last_size", .decimalOrNull),
    Column("volume", .decimalOrNull), Column("open", .decimalOrNull),
    Column("high", .decimalOrNull), Column("low", .decimalOrNull),
    Column("close", .decimalOrNull), Column("change", .decimalOrNull),
    Column("change_pct", .decimalOrNull), Column("changed", .strings), Column("flags", .strings),
    Column("avail", .stringOrNull), Column("fields", .string),
  ]

  private static let gapColumns = [
    Column("gap_id", .string), Column("ts_start", .time), Column("ts_end", .timeOrNull),
    Column("mono_start", .integer), Column("mono_end", .integerOrNull),
    Column("reason", .string), Column("symbols", .strings), Column("conids", .integers),
    Column("detected_by", .string), Column("count", .integerOrNull),
    Column("seq_first", .integer), Column("seq_last", .integerOrNull),
    Column("run_prev", .stringOrNull), Column("backfill", .string),
  ]
}
