// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON
public import OAuth1a

/// What an `ssd` message says: figures of one account, all at first and then those that changed.
public struct AccountSummary: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// The account.
  public let account: Secret?

  /// The figures.
  public private(set) var values: [Value]

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there is nothing in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let body = message.body(of: .accountSummary), let rows = Message.rows(body["result"])
    else { return nil }
    self.message = message
    account = Message.account(body)
    values = rows.map { Value(row: $0) }
  }

  /// Takes over what a later message of the same account says about some of the figures.
  ///
  /// - Parameter later: The later message.
  public mutating func merge(_ later: AccountSummary) { values.merge(later.values) }

  /// A figure by its name.
  ///
  /// - Parameter key: The server's name, with the segment: `ExcessLiquidity-S`.
  public subscript(key: String) -> Value? { values.last { $0.key == key } }

  /// One figure.
  public struct Value: Sendable, Hashable, RowBacked {
    /// Everything that was said, by IBKR's names.
    public internal(set) var row: Row

    var identity: String { "\(key) \(currency ?? "")" }

    /// The name, as the trading station has it, with the segment: `ExcessLiquidity-S`.
    public var key: String { row["key"] ?? "" }

    /// The segment of the account: `S` for securities, `C` for commodities, nil for all of it.
    public var segment: Character? {
      let suffix = key.suffix(2)
      return suffix.first == "-" ? suffix.last : nil
    }

    /// What the figure says where it is no amount of money.
    public var text: String? { row["value"] }
    /// The figure as a number, be it an amount of money or not.
    public var amount: Decimal? { row.decimal("monetaryValue") ?? row.decimal("value") }
    /// The currency of an amount of money.
    public var currency: String? { row["currency"] }
    /// How bad it is, in the server's number.
    public var severity: Int? { row.integer("severity") }
    /// The server's time, in nanoseconds since 1970.
    public var time: Int64? { row.seconds("timestamp") }
  }
}
