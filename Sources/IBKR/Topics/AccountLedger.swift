// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON
public import OAuth1a

/// What an `sld` message says: the cash and the values of one account by currency, every ten
/// seconds.
public struct AccountLedger: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// The account.
  public let account: Secret?

  /// One element per currency; one without a change has nothing but its name and time.
  public private(set) var balances: [Balance]

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there is nothing in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let body = message.body(of: .accountLedger), let rows = Message.rows(body["result"])
    else { return nil }
    self.message = message
    account = Message.account(body)
    balances = rows.map { Balance(row: $0) }
  }

  /// Takes over what a later message of the same account says about some of the currencies.
  ///
  /// - Parameter later: The later message.
  public mutating func merge(_ later: AccountLedger) { balances.merge(later.balances) }

  /// The balance in a currency.
  ///
  /// - Parameter currency: Its code; `BASE` for all of the account in its own currency.
  public subscript(currency: String) -> Balance? { balances.last { $0.currency == currency } }

  /// One currency's figures; nil is what the message does not say.
  public struct Balance: Sendable, Hashable, RowBacked {
    /// Everything that was said, by IBKR's names.
    public internal(set) var row: Row

    /// Reads a currency's figures.
    package init(row: Row) {
      self.row = row
    }

    var identity: String { key }

    /// The server's name for it: `LedgerListUSD`.
    public var key: String { row["key"] ?? "" }

    /// The currency; `BASE` for all of the account in its own currency.
    public var currency: String {
      let prefix = "LedgerList"
      guard key.hasPrefix(prefix) else { return row["secondKey"] ?? key }
      return String(key.dropFirst(prefix.count))
    }

    /// The cash; the server spells its name in two ways.
    public var cash: Decimal? { row.decimal("cashbalance") ?? row.decimal("cashBalance") }
    /// The cash that is settled.
    public var settledCash: Decimal? { row.decimal("settledCash") }
    /// The net liquidation value.
    public var netLiquidation: Decimal? { row.decimal("netLiquidationValue") }
    /// The realised profit or loss.
    public var realized: Decimal? { row.decimal("realizedPnl") }
    /// The unrealised profit or loss.
    public var unrealized: Decimal? { row.decimal("unrealizedPnl") }
    /// The value of the stocks.
    public var stockValue: Decimal? { row.decimal("stockMarketValue") }
    /// The value of the options.
    public var optionValue: Decimal? { row.decimal("optionMarketValue") }
    /// The interest.
    public var interest: Decimal? { row.decimal("interest") }
    /// The dividends.
    public var dividends: Decimal? { row.decimal("dividends") }
    /// What one unit is worth in the account's own currency.
    public var exchangeRate: Decimal? { row.decimal("exchangeRate") }
    /// The server's time, in nanoseconds since 1970.
    public var time: Int64? { row.seconds("timestamp") }
  }
}
