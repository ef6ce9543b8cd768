// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// The columns of a channel whose rows are objects of the server's.
struct RowTable: Sendable {
  /// The columns behind `ts_event`, but for the last.
  let parts: [RowColumn]

  /// How the server's time of a row is found, where a row has one of its own.
  let event: RowColumn.Find?

  /// The columns behind `ts_event`; the last one keeps what has no column.
  var columns: [Column] { parts.map(\.column) + [Column("fields", .string)] }

  /// The table of a channel; nil for those whose lines are made in another way.
  init?(_ channel: Channel) {
    switch channel {
    case .raw, .quote, .gap: return nil
    case .status: self = .status
    case .bar: self = .bar
    case .history: self = .history
    case .book: self = .book
    case .order: self = .order
    case .trade: self = .trade
    case .pnl: self = .pnl
    case .ledger: self = .ledger
    case .summary: self = .summary
    }
  }

  init(_ parts: [RowColumn], event: RowColumn.Find? = nil) {
    self.parts = parts
    self.event = event
  }

  static let place = RowColumn.given("i", .integer) { .integer(Int64($0.index)) }

  /// The instrument of a message that is about one.
  static let instrument: [RowColumn] = [
    .given("conid", .integerOrNull) { .integer(orNull: $0.conid) },
    .given("symbol", .stringOrNull) { .text(orNull: $0.symbol) },
    snapshot,
    place,
  ]

  static let snapshot = RowColumn.given("snapshot", .bool) { .flag($0.isSnapshot) }

  /// The instrument of a row that names its own.
  static func instrument(named symbol: String) -> [RowColumn] {
    [
      .integer("conid", "conid"),
      RowColumn("symbol", .stringOrNull) { row, context in
        var found = RowColumn.first(of: [symbol], in: row, RowColumn.text)
        if found.cell == .null { found.cell = .text(orNull: context.symbol) }
        return found
      },
      snapshot,
      place,
    ]
  }

  static let source = RowColumn.given("source", .string) { .text($0.source.rawValue) }

  /// The account: of the row, or else of the message.
  static func account(_ names: String...) -> RowColumn {
    RowColumn("account", .stringOrNull) { row, context in
      var found = RowColumn.first(of: names, in: row, RowColumn.text)
      if found.cell == .null { found.cell = .text(orNull: context.account) }
      return found
    }
  }
}
