// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// The columns of a channel: their names, order and types.
struct Columns {
  /// What may stand in a column.
  enum Kind {
    case integer, integerOrNull
    /// A number with a point, or null.
    case decimalOrNull
    case string, stringOrNull
    case bool
    case array
  }

  /// A column.
  struct Column {
    let name: [UInt8]
    let kind: Kind

    init(_ name: String, _ kind: Kind) {
      self.name = Array(name.utf8)
      self.kind = kind
    }
  }

  /// What is wrong with a line.
  enum Fault {
    case columns(String)
    case type(String)
  }

  private let columns: [Column]

  /// The columns of a channel.
  init(of channel: Channel) {
    columns = Self.common + (Self.special[channel] ?? [])
    isComplete = Self.special[channel] != nil
  }

  private let isComplete: Bool

  /// Compares a line, which must be JSON, with the columns.
  ///
  /// - Parameter line: The line.
  /// - Returns: The first thing that is wrong, nil if there is none.
  func fault(in line: UnsafeRawBufferPointer) -> Fault? {
    var scanner = JSONScanner(line)
    for column in columns {
      guard let member = scanner.nextMember() else {
        return .columns("the column \(Self.text(column.name)) is missing")
      }
      guard scanner.bytes(member.name).elementsEqual(column.name) else {
        let found = String(decoding: scanner.bytes(member.name).prefix(40), as: UTF8.self)
        return .columns("where \(Self.text(column.name)) should be there is '\(found)'")
      }
      if !Self.fits(member, column.kind, scanner) {
        return .type("\(Self.text(column.name)) is not of its type")
      }
    }
    if isComplete, let more = scanner.nextMember() {
      let found = String(decoding: scanner.bytes(more.name).prefix(40), as: UTF8.self)
      return .columns("there is a column too many: '\(found)'")
    }
    return nil
  }

  private static func text(_ name: [UInt8]) -> String { String(decoding: name, as: UTF8.self) }

  private static func fits(_ member: JSONMember, _ kind: Kind, _ scanner: JSONScanner) -> Bool {
    switch kind {
    case .integer: member.kind == .number && scanner.integer(member) != nil
    case .integerOrNull:
      member.kind == .null || member.kind == .number && scanner.integer(member) != nil
    case .decimalOrNull:
      member.kind == .null
        || member.kind == .number && scanner.bytes(member.value).contains(UInt8(ascii: "."))
    case .string: member.kind == .string
    case .stringOrNull: member.kind == .null || member.kind == .string
    case .bool: member.kind == .true || member.kind == .false
    case .array: member.kind == .array
    }
  }

  private static let common: [Column] = [
    Column("v", .integer), Column("run", .string), Column("seq", .integer),
    Column("ts_recv", .integer), Column("ts_event", .integerOrNull),
  ]

  private static let special: [Channel: [Column]] = [
    .raw: [
      Column("mono", .integer), Column("dir", .string), Column("op", .string),
      Column("topic", .stringOrNull), Column("msg", .stringOrNull), Column("b64", .stringOrNull),
      Column("redacted", .bool),
    ],
    .quote: [
      Column("conid", .integer), Column("symbol", .string), Column("snapshot", .bool),
      Column("bid", .decimalOrNull), Column("bid_size", .decimalOrNull),
      Column("ask", .decimalOrNull), Column("ask_size", .decimalOrNull),
      Column("last", .decimalOrNull), Column("last_size", .decimalOrNull),
      Column("volume", .decimalOrNull), Column("open", .decimalOrNull),
      Column("high", .decimalOrNull), Column("low", .decimalOrNull),
      Column("close", .decimalOrNull), Column("change", .decimalOrNull),
      Column("change_pct", .decimalOrNull), Column("changed", .array), Column("flags", .array),
      Column("avail", .stringOrNull), Column("fields", .string),
    ],
    .gap: [
      Column("gap_id", .string), Column("ts_start", .integer), Column("ts_end", .integerOrNull),
      Column("mono_start", .integer), Column("mono_end", .integerOrNull),
      Column("reason", .string), Column("symbols", .array), Column("conids", .array),
      Column("detected_by", .string), Column("count", .integerOrNull),
      Column("seq_first", .integer), Column("seq_last", .integerOrNull),
      Column("run_prev", .stringOrNull), Column("backfill", .string),
    ],
  ]
}
