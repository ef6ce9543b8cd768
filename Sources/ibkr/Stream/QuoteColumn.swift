// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// A column of the live table.
enum QuoteColumn: Hashable {
  case symbol, last, trend, age, note
  case value(QuoteState.Column)
  case field(MarketDataField)

  /// The columns that a list of fields fills, in the order in which they stand.
  ///
  /// - Parameter fields: What is asked of the server.
  /// - Returns: The columns.
  static func columns(of fields: [MarketDataField]) -> [QuoteColumn] {
    let asked = Set(fields.compactMap { QuoteState.Column(field: $0.id) })
    let order: [QuoteState.Column] = [
      .change, .changePercent, .bidSize, .bid, .ask, .askSize, .lastSize, .volume, .open, .high,
      .low, .close,
    ]
    var columns: [QuoteColumn] = [.symbol]
    if asked.contains(.last) { columns.append(.last) }
    columns += order.filter(asked.contains).map { .value($0) }
    // 6509 is behind what the notes say, 6508 and 6119 are of no use to anybody.
    columns += fields.filter { QuoteState.Column(field: $0.id) == nil }
      .filter { ![6509, 6508, 6119].contains($0.id) }.map { .field($0) }
    if asked.contains(.last) || asked.isSuperset(of: [.bid, .ask]) { columns.append(.trend) }
    return columns + [.age, .note]
  }

  /// What stands above it.
  var head: String {
    switch self {
    case .symbol: "SYMBOL"
    case .last: "LAST"
    case .trend: "TREND"
    case .age: "AGE"
    case .note: ""
    case .field(let field): field.name.uppercased()
    case .value(let column):
      switch column {
      case .bid: "BID"
      case .ask: "ASK"
      case .bidSize, .askSize: "SIZE"
      case .lastSize: "TRADED"
      case .change: "CHANGE"
      case .changePercent: "%"
      default: String(describing: column.name).uppercased()
      }
    }
  }

  /// What is chosen last when there is no room for all: the higher, the later.
  var rank: Int {
    switch self {
    case .symbol: 0
    case .last: 1
    case .note: 2
    case .field: 5
    case .age: 6
    case .trend: 7
    case .value(let column):
      switch column {
      case .bid, .ask: 3
      case .changePercent: 4
      case .bidSize, .askSize: 8
      case .volume: 9
      case .change: 10
      case .lastSize: 11
      default: 12
      }
    }
  }

  /// Whether it is of no use without the other one of its rank.
  var isOneOfTwo: Bool {
    switch self {
    case .value(.bid), .value(.ask), .value(.bidSize), .value(.askSize): true
    default: false
    }
  }

  /// What stands between it and the one before.
  func gap(after other: QuoteColumn?, _ terminal: Terminal) -> String {
    switch (other, self) {
    case (nil, _): ""
    case (.value(.bid), .value(.ask)): terminal.hasBlocks ? " × " : " x "
    default: "  "
    }
  }

  /// On which side its texts stand.
  var side: TextTable.Side {
    switch self {
    case .symbol, .note, .value(.ask), .value(.askSize): .left
    case .field(let field): field.description?.kind == .text ? .left : .right
    default: .right
    }
  }
}
