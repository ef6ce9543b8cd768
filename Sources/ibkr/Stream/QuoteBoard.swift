// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// What the live table knows: a row for each subscription, what has just changed in it, and where its
/// price was in the last minute.
///
/// A value that is fed quotes and times; it knows no terminal and no clock.
struct QuoteBoard {
  /// A change that is still to be seen.
  struct Flash: Hashable {
    let style: TextStyle
    let since: Int64
  }

  /// What is known of one subscription.
  struct Row {
    let name: String
    var quote: LiveQuote?
    var state = SubscriptionState.pending
    var isInGap = false
    /// What just changed.
    var flashes: [QuoteState.Column: Flash] = [:]
    /// The last move of the price.
    var move: Flash?
    /// The price once a second, the newest last.
    var prices: [Double?] = []
    /// The values of fields without a column.
    var fields: [Int: String] = [:]
  }

  /// The rows, by the number of their subscription.
  private(set) var rows: [UInt32: Row] = [:]
  private var nextPrice = Int64.min

  /// How long a change is shown.
  static let flashTime: Int64 = 600_000_000
  /// How long the direction of a move is shown.
  static let moveTime: Int64 = 5_000_000_000
  private static let second: Int64 = 1_000_000_000
  /// How many prices are kept.
  static let depth = 60

  /// The rows, in the order in which they were asked for.
  var ordered: [Row] { rows.sorted { $0.key < $1.key }.map(\.value) }

  /// Takes how a subscription stands.
  mutating func note(_ number: UInt32, named name: String, _ state: SubscriptionState, inGap: Bool)
  {
    rows[number, default: Row(name: name)].state = state
    rows[number]?.isInGap = inGap
  }

  /// Leaves out what is no longer subscribed to.
  mutating func keep(_ isWanted: (UInt32) -> Bool) {
    rows = rows.filter { isWanted($0.key) }
  }

  /// Takes a subscription's quote, nil if nothing is known now.
  mutating func take(_ number: UInt32, _ quote: LiveQuote?, at now: Int64) {
    guard var row = rows[number] else { return }
    if let old = row.quote, let quote, old != quote {
      for column in QuoteState.Column.allCases {
        // What was not known has not changed.
        guard let before = old[column], let after = quote[column], before != after else { continue }
        row.flashes[column] = Flash(style: Self.style(column, before, after), since: now)
        if column == .last { row.move = row.flashes[column] }
      }
    }
    row.quote = quote
    if quote == nil { (row.flashes, row.move, row.fields) = ([:], nil, [:]) }
    rows[number] = row
  }

  /// Takes the values of fields without a column.
  mutating func take(_ number: UInt32, fields: [Int: String]) {
    rows[number]?.fields = fields
  }

  /// Takes notice of the time: changes are old, and a second may be over.
  mutating func tick(at now: Int64) {
    let isSecond = now >= nextPrice
    if isSecond { nextPrice = now + Self.second }
    for number in rows.keys {
      guard var row = rows[number] else { continue }
      if !row.flashes.isEmpty {
        row.flashes = row.flashes.filter { now - $1.since < Self.flashTime }
      }
      if let move = row.move, now - move.since >= Self.moveTime { row.move = nil }
      if isSecond {
        row.prices.append(row.quote?.price)
        if row.prices.count > Self.depth { row.prices.removeFirst() }
      }
      rows[number] = row
    }
  }

  private static func style(
    _ column: QuoteState.Column,
    _ before: Decimal,
    _ after: Decimal
  ) -> TextStyle {
    switch column {
    case .bid, .ask, .last, .high, .low, .change, .changePercent:
      after > before ? .risen : .fallen
    case .bidSize, .askSize, .lastSize, .volume, .open, .close: .changed
    }
  }
}

extension QuoteBoard.Row {
  /// The text of a column.
  ///
  /// - Parameters:
  ///   - column: The column.
  ///   - now: The monotonic clock.
  ///   - terminal: What is shown.
  /// - Returns: The text and its style; the line of prices is drawn elsewhere.
  func cell(
    _ column: QuoteColumn,
    at now: Int64,
    on terminal: Terminal
  ) -> (text: String, style: TextStyle) {
    switch column {
    case .symbol: return (name, .bold)
    case .last:
      let text = quote?[.last]?.description ?? "-"
      let rise = terminal.hasBlocks ? "▲" : "^"
      let fall = terminal.hasBlocks ? "▼" : "v"
      let mark = move.map { $0.style == .risen ? rise : fall } ?? " "
      return (text + mark, flashes[.last]?.style ?? .plain)
    case .trend: return ("", .plain)
    case .age: return (quote.map { FigureText.age(now - $0.arrived) } ?? "-", .dim)
    case .note: return note
    case .field(let field): return (fields[field.id].map(Terminal.harmless) ?? "-", .plain)
    case .value(let column):
      guard let value = quote?[column] else { return ("-", .dim) }
      let style = flashes[column]?.style
      switch column {
      case .change, .changePercent:
        let sign = value.mantissa > 0 ? "+" : ""
        let colour: TextStyle =
          value.mantissa > 0 ? .green : value.mantissa < 0 ? .red : .plain
        return (sign + value.description, style ?? colour)
      case .volume, .bidSize, .askSize, .lastSize:
        return (FigureText.quantity(value), style ?? .plain)
      default: return (value.description, style ?? .plain)
      }
    }
  }

  /// What is to be known besides the values.
  private var note: (text: String, style: TextStyle) {
    if isInGap { return ("gap", .red) }
    switch state {
    case .failed: return ("refused", .red)
    case .stale: return ("silent", .yellow)
    case .pending, .requested: return ("waiting", .yellow)
    case .active, .renewing, .ended: break
    }
    guard let flags = quote?.flags else { return ("", .plain) }
    var words: [String] = []
    if flags.contains(.lastIsHalted) { words.append("halted") }
    if flags.contains(.notSubscribed) { words.append("no data subscription") }
    if flags.contains(.delayed) { words.append("delayed") }
    if flags.contains(.frozen) { words.append("frozen") }
    if flags.contains(.lastIsClose) { words.append("close") }
    return (words.joined(separator: " "), .yellow)
  }
}
