// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON
public import OAuth1a

/// What an `sbd` message says: lines of the order book of one instrument.
public struct PriceLadder: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// The account whose market-data subscription is used.
  public let account: Secret?

  /// The instrument.
  public let conid: Int?

  /// The exchange, if one was asked for.
  public let exchange: String?

  /// The lines of the message.
  public private(set) var lines: [Line]

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there is nothing in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let body = message.body(of: .priceLadder), let rows = Message.rows(body["data"])
    else { return nil }
    let targets = Message.targets(body)
    self.message = message
    account = Message.account(body)
    conid = message.conid
    exchange = targets.count > 2 ? String(targets[2]) : nil
    lines = rows.map { Line(row: $0) }
  }

  /// Takes over what a later message of the same book says about some of the lines.
  ///
  /// - Parameter later: The later message.
  public mutating func merge(_ later: PriceLadder) { lines.merge(later.lines) }

  /// One line of the book.
  public struct Line: Sendable, Hashable, RowBacked {
    /// Everything that was said, by IBKR's names.
    public internal(set) var row: Row

    /// Reads a line.
    package init(row: Row) {
      self.row = row
    }

    var identity: String { row["row"] ?? "" }

    /// The place of the line in the ladder.
    public var index: Int? { row.integer("row") }

    /// Whether this is where the last trade was.
    public var isLastTrade: Bool { row.integer("focus") == 1 }

    /// The price.
    public var price: Decimal? { QuoteNumber(parts.price, allowsMark: true).decimal }

    /// The size of the last trade, which stands before its price: `100 @ 189.60`.
    public var tradeSize: Decimal? {
      parts.size.flatMap { QuoteNumber($0, allowsMark: false).decimal }
    }

    /// How much is bid at this price; nil if nothing is.
    public var bidSize: Decimal? { row.decimal("bid") }

    /// How much is offered at this price; nil if nothing is.
    public var askSize: Decimal? { row.decimal("ask") }

    private var parts: (size: String?, price: String) {
      let text = row["price"] ?? ""
      guard let at = text.firstIndex(of: "@") else { return (nil, text) }
      return (String(text[..<at]), String(text[text.index(after: at)...]))
    }
  }
}
