// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What a message of the server says, typed.
///
/// Nothing is left out: what has no type, or is no JSON at all, is ``unrecognised(_:)`` with its
/// bytes.
public enum MessageContent: Sendable {
  /// `smd`: changes of a quote.
  case marketData(MarketData)
  /// `smh`: bars.
  case history(History)
  /// `sbd`: lines of an order book.
  case priceLadder(PriceLadder)
  /// `sor`: orders.
  case orders(Orders)
  /// `str`: executions.
  case trades(Trades)
  /// `spl`: profit and loss.
  case profitAndLoss(ProfitAndLoss)
  /// `ssd`: figures of an account.
  case accountSummary(AccountSummary)
  /// `sld`: an account by currency.
  case accountLedger(AccountLedger)
  /// `system`: greeting or heartbeat.
  case system(SystemMessage)
  /// `sts`: the state of the session.
  case status(StatusUpdate)
  /// `act`: the accounts.
  case accounts(SessionAccounts)
  /// `ntf`: notifications and questions.
  case notifications(Notifications)
  /// `blt`: bulletins.
  case bulletins(Bulletins)
  /// `tic`: the answer to a keep-alive.
  case keepAlive(KeepAlive)
  /// The server does not know the session.
  case waitingForSession
  /// The answer to an unsubscription.
  case unsubscribed(Unsubscription)
  /// An error, whatever its topic.
  case error(ServerError)
  /// Anything else, as it came.
  case unrecognised([UInt8])
}

extension Message {
  /// What the message says, typed; nil for control frames and for commands of ours.
  ///
  /// It is read from the bytes each time, so keep what you get.
  public var content: MessageContent? {
    guard direction == .inbound, let topic else { return nil }
    if let error { return .error(error) }
    return known(topic) ?? .unrecognised(bytes)
  }

  private func known(_ topic: Topic) -> MessageContent? {
    switch topic {
    case .marketData: marketData.map { .marketData($0) }
    case .history: history.map { .history($0) }
    case .priceLadder: book.map { .priceLadder($0) }
    case .orders: orders.map { .orders($0) }
    case .trades: trades.map { .trades($0) }
    case .profitAndLoss: profitAndLoss.map { .profitAndLoss($0) }
    case .accountSummary: accountSummary.map { .accountSummary($0) }
    case .accountLedger: accountLedger.map { .accountLedger($0) }
    case .system: systemState.map { .system($0) }
    case .status: status.map { .status($0) }
    case .accounts: accounts.map { .accounts($0) }
    case .notification: notifications.map { .notifications($0) }
    case .bulletin: bulletins.map { .bulletins($0) }
    case .tic: keepAlive.map { .keepAlive($0) }
    case .waitingForSession: .waitingForSession
    case .unsubscribed: Unsubscription(self).map { .unsubscribed($0) }
    case .error, .unrecognised: nil
    }
  }

  /// The quote, if it is a message of `smd`.
  public var marketData: MarketData? { MarketData(self) }
  /// The bars, if it is a message of `smh`.
  public var history: History? { History(self) }
  /// The order book's lines, if it is a message of `sbd`.
  public var book: PriceLadder? { PriceLadder(self) }
  /// The orders, if it is a message of `sor`.
  public var orders: Orders? { Orders(self) }
  /// The executions, if it is a message of `str`.
  public var trades: Trades? { Trades(self) }
  /// The profit and loss, if it is a message of `spl`.
  public var profitAndLoss: ProfitAndLoss? { ProfitAndLoss(self) }
  /// The account's figures, if it is a message of `ssd`.
  public var accountSummary: AccountSummary? { AccountSummary(self) }
  /// The account by currency, if it is a message of `sld`.
  public var accountLedger: AccountLedger? { AccountLedger(self) }
  /// The greeting or the heartbeat, if it is a message of `system`.
  public var systemState: SystemMessage? { SystemMessage(self) }
  /// The state of the session, if it is a message of `sts`.
  public var status: StatusUpdate? { StatusUpdate(self) }
  /// The accounts, if it is a message of `act`.
  public var accounts: SessionAccounts? { SessionAccounts(self) }
  /// The notifications, if it is a message of `ntf`.
  public var notifications: Notifications? { Notifications(self) }
  /// The bulletins, if it is a message of `blt`.
  public var bulletins: Bulletins? { Bulletins(self) }
  /// The answer to a keep-alive, if it is a message of `tic`.
  public var keepAlive: KeepAlive? { KeepAlive(self) }
  /// The error that it reports, if it has an `error` key.
  public var error: ServerError? { ServerError(self) }
  /// The answer to an unsubscription, if it is one.
  public var unsubscription: Unsubscription? { Unsubscription(self) }
}
