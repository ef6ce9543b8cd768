// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON
public import OAuth1a

/// What a message says about executions: one of `str`, or an answer by REST after a gap.
///
/// The answer to a subscription is an empty one. The replay of past days comes in a burst, every
/// execution two to four times: ``Execution/isDuplicate`` tells which have been told before, and the
/// later copy knows more (protocol reference 4.12).
public struct Trades: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// The executions.
  public let executions: [Execution]

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there are no trades in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let rows = message.rows(of: .trades, named: "trades") else { return nil }
    self.message = message
    executions = rows.enumerated().map { index, row in
      Execution(row: row, isDuplicate: message.isDuplicate(part: index))
    }
  }
}

/// One execution; nil is what the message does not say.
public struct Execution: Sendable, Hashable, RowBacked {
  /// Everything that was said, by IBKR's names.
  public internal(set) var row: Row

  /// Whether an execution of this ``id`` has been told before in this run.
  ///
  /// Act upon those that are none, and merge the others into them: a later copy brings the
  /// commission.
  public internal(set) var isDuplicate = false

  var identity: String { id ?? "" }

  /// The execution's name: copies of one have the same.
  public var id: String? { row["execution_id"] }
  /// The account.
  public var account: Secret? { row.secret("account") ?? row.secret("accountCode") }
  /// The instrument.
  public var conid: Int? { row.integer("conid") }
  /// The instrument with the exchange, where that is told.
  public var conidEx: String? { row["conidEx"] }
  /// The symbol.
  public var symbol: String? { row["symbol"] }
  /// The asset class: `STK`, `OPT`, `FUT`, ….
  public var securityType: String? { row["sec_type"] }
  /// The exchange that the instrument is listed on.
  public var listingExchange: String? { row["listing_exchange"] }
  /// The company.
  public var companyName: String? { row["company_name"] }
  /// Bought or sold.
  public var side: TradeSide? { row["side"].flatMap { TradeSide($0) } }
  /// How much.
  public var size: Decimal? { row.decimal("size") }
  /// At which price.
  public var price: Decimal? { row.decimal("price") }
  /// Where.
  public var exchange: String? { row["exchange"] }
  /// The commission; it comes with a later copy.
  public var commission: Decimal? { row.decimal("commission") }
  /// The money that changed hands.
  public var netAmount: Decimal? { row.decimal("net_amount") }
  /// The position afterwards.
  public var position: Decimal? { row.decimal("position") }
  /// The number of the order; it can be larger than 32 bits.
  public var orderID: Int? { row.integer("order_id") }
  /// The name that the client gave the order (`cOID`).
  public var reference: String? { row["order_ref"] }
  /// Who sent the order.
  public var submitter: Secret? { row.secret("submitter") }
  /// The execution in one line.
  public var summary: String? { row["order_description"] }
  /// When, in nanoseconds since 1970.
  public var time: Int64? { row.milliseconds("trade_time_r") }

  /// Takes over what a later copy of the same execution says.
  ///
  /// - Parameter later: The later copy.
  public mutating func merge(_ later: Execution) { row.merge(later.row) }
}
