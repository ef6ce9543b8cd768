// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON
public import OAuth1a

/// What a message says about orders: one of `sor`, or an answer by REST beside it.
///
/// The first word about an order describes it whole, later ones say what has changed:
/// ``OrderUpdate/merge(_:)`` puts them together. The feed is not to be relied on alone: it has been
/// seen silent while orders were filled (protocol reference 4.11), so the client asks by REST as well:
/// an answer tells every order of the day whole, and ``Message/kind`` says what it is.
public struct Orders: Sendable {
  /// The message, with its bytes, number and times.
  public let message: Message

  /// What it says, one element per order.
  public let updates: [OrderUpdate]

  /// Reads a message.
  ///
  /// - Parameter message: Any message; there are no orders in one of another topic, or in an error.
  public init?(_ message: Message) {
    guard let rows = message.rows(of: .orders, named: "orders") else { return nil }
    self.message = message
    updates = rows.map { OrderUpdate(row: $0) }
  }
}

/// One order as one message tells it; nil is what the message does not say.
public struct OrderUpdate: Sendable, Hashable, RowBacked {
  /// Everything that was said, by IBKR's names.
  public internal(set) var row: Row

  var identity: String { row["orderId"] ?? "" }

  /// The order's number: what updates are matched by.
  public var orderID: Int? { row.integer("orderId") }
  /// The account.
  public var account: Secret? { row.secret("acct") ?? row.secret("account") }
  /// The instrument.
  public var conid: Int? { row.integer("conid") }
  /// The instrument as it was ordered, with an exchange or the legs of a combination.
  public var conidEx: String? { row["conidex"] }
  /// The symbol.
  public var symbol: String? { row["ticker"] }
  /// The asset class: `STK`, `OPT`, `FUT`, ….
  public var securityType: String? { row["secType"] }
  /// The exchange that the instrument is listed on.
  public var listingExchange: String? { row["listingExchange"] }
  /// The company.
  public var companyName: String? { row["companyName"] }
  /// Buy or sell.
  public var side: TradeSide? { row["side"].flatMap { TradeSide($0) } }
  /// How far the order has come.
  public var status: OrderStatus? { row["status"].map { OrderStatus($0) } }
  /// How far it has come in the words of the order system.
  public var backendStatus: String? { row["order_ccp_status"] }
  /// `Limit`, `Market`, ….
  public var orderType: String? { row["orderType"] }
  /// The order in one line.
  public var summary: String? { row["orderDesc"] }
  /// The limit; a market order has none.
  public var price: Decimal? { row.decimal("price") }
  /// The average price of what has been filled.
  public var averagePrice: Decimal? { row.decimal("avgPrice") }
  /// How much is wanted.
  public var totalSize: Decimal? { row.decimal("totalSize") }
  /// How much has been filled.
  public var filledQuantity: Decimal? { row.decimal("filledQuantity") }
  /// How much has not.
  public var remainingQuantity: Decimal? { row.decimal("remainingQuantity") }
  /// The currency of the cash.
  public var currency: String? { row["cashCcy"] }
  /// How long the order holds; the server's `CLOSE` stands for `DAY`.
  public var timeInForce: String? { row["timeInForce"].map { $0 == "CLOSE" ? "DAY" : $0 } }
  /// Whether it may be filled outside regular trading hours.
  public var outsideRegularHours: Bool? { row.flag("outsideRTH") }
  /// The name that the client gave the order (`cOID`).
  public var reference: String? { row["order_ref"] }
  /// When something was last done about it, in nanoseconds since 1970.
  public var lastExecution: Int64? { row.milliseconds("lastExecutionTime_r") }

  /// Takes over what a later update of the same order says.
  ///
  /// - Parameter later: The later update.
  public mutating func merge(_ later: OrderUpdate) { row.merge(later.row) }
}

/// How far an order has come, in the server's word for it.
public struct OrderStatus: Sendable, Hashable, CustomStringConvertible {
  /// The server's word.
  public let name: String

  /// Creates a status from the server's word.
  ///
  /// - Parameter name: The word.
  public init(_ name: some StringProtocol) { self.name = String(name) }

  /// Not yet sent, or not working any longer.
  public static let inactive = OrderStatus("Inactive")
  /// On its way to the exchange.
  public static let pendingSubmit = OrderStatus("PendingSubmit")
  /// Accepted and waiting for its time or trigger.
  public static let preSubmitted = OrderStatus("PreSubmitted")
  /// Working.
  public static let submitted = OrderStatus("Submitted")
  /// Filled completely.
  public static let filled = OrderStatus("Filled")
  /// About to be cancelled.
  public static let pendingCancel = OrderStatus("PendingCancel")
  /// Cancelled.
  public static let cancelled = OrderStatus("Cancelled")

  /// The server's word.
  public var description: String { name }
}

/// Which way somebody trades.
public enum TradeSide: Sendable, Hashable {
  /// `BUY` or `B`.
  case buy
  /// `SELL` or `S`.
  case sell
  /// Anything else, such as `EXER` for an exercise of options.
  case other(String)

  /// - Parameter text: The server's word; an empty one is none.
  init?(_ text: String) {
    switch text {
    case "": return nil
    case "BUY", "B": self = .buy
    case "SELL", "S": self = .sell
    default: self = .other(text)
    }
  }
}
