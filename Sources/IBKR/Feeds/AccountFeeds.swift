// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
public import OAuth1a

/// Profit and loss of all accounts (`spl`).
public struct ProfitAndLossFeed: Feed, Hashable {
  /// What is asked of the server.
  public var request: FeedRequest { FeedRequest(topic: .profitAndLoss, target: "") }

  /// Reads a message as profit and loss.
  ///
  /// - Parameter message: A message of this subscription.
  /// - Returns: The figures, nil for an error.
  public static func decode(_ message: Message) -> ProfitAndLoss? { ProfitAndLoss(message) }
}

/// The figures of one account (`ssd`).
public struct AccountSummaryFeed: Feed, Equatable {
  /// The account.
  public let account: Secret
  /// The figures to be sent, empty for all: `AccruedCash-S`, `ExcessLiquidity-S`, ….
  public let keys: [String]
  /// The values of each figure to be sent, empty for all: `currency`, `monetaryValue`.
  public let fields: [String]

  /// What is asked of the server.
  public var request: FeedRequest {
    FeedRequest(account: account, .accountSummary, keys: keys, fields: fields)
  }

  /// Reads a message as figures.
  ///
  /// - Parameter message: A message of this subscription.
  /// - Returns: The figures, nil for an error.
  public static func decode(_ message: Message) -> AccountSummary? { AccountSummary(message) }
}

/// One account by currency (`sld`).
public struct AccountLedgerFeed: Feed, Equatable {
  /// The account.
  public let account: Secret
  /// The currencies to be sent, empty for all: `LedgerListBASE`, `LedgerListUSD`, ….
  public let keys: [String]
  /// The values of each to be sent, empty for all: `cashBalance`, `exchangeRate`, ….
  public let fields: [String]

  /// What is asked of the server.
  public var request: FeedRequest {
    FeedRequest(account: account, .accountLedger, keys: keys, fields: fields)
  }

  /// Reads a message as an account by currency.
  ///
  /// - Parameter message: A message of this subscription.
  /// - Returns: The balances, nil for an error.
  public static func decode(_ message: Message) -> AccountLedger? { AccountLedger(message) }
}

extension FeedRequest {
  fileprivate init(account: Secret, _ topic: Topic, keys: [String], fields: [String]) {
    var parameters: [JSONValue.Member] = []
    if !keys.isEmpty { parameters.append(.init(key: "keys", value: .init(texts: keys))) }
    if !fields.isEmpty { parameters.append(.init(key: "fields", value: .init(texts: fields))) }
    self.init(topic: topic, target: account.exposedText, parameters: parameters)
  }
}

extension FeedParameter {
  /// An account that can be part of a command.
  static func account(_ account: Secret) throws(IbkrError) -> Secret {
    guard !account.isEmpty, FeedRequest.isPlain(account.exposedText) else {
      throw FeedRequest.unwritable("this account")
    }
    return account
  }
}

extension Feed where Self == ProfitAndLossFeed {
  /// Profit and loss of all accounts.
  ///
  /// - Returns: The feed.
  public static func profitAndLoss() -> ProfitAndLossFeed { ProfitAndLossFeed() }
}

extension Feed where Self == AccountSummaryFeed {
  /// The figures of one account.
  ///
  /// - Parameters:
  ///   - account: The account.
  ///   - keys: The figures to be sent, empty for all: `AccruedCash-S`, `ExcessLiquidity-S`, ….
  ///   - fields: The values of each figure to be sent, empty for all: `currency`, `monetaryValue`.
  /// - Returns: The feed.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`, if the account cannot be written.
  public static func accountSummary(
    account: Secret,
    keys: [String] = [],
    fields: [String] = []
  ) throws(IbkrError) -> AccountSummaryFeed {
    AccountSummaryFeed(account: try FeedParameter.account(account), keys: keys, fields: fields)
  }
}

extension Feed where Self == AccountLedgerFeed {
  /// One account by currency.
  ///
  /// - Parameters:
  ///   - account: The account.
  ///   - keys: The currencies to be sent, empty for all: `LedgerListBASE`, `LedgerListUSD`, ….
  ///   - fields: The values of each to be sent, empty for all: `cashBalance`, `exchangeRate`, ….
  /// - Returns: The feed.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`, if the account cannot be written.
  public static func accountLedger(
    account: Secret,
    keys: [String] = [],
    fields: [String] = []
  ) throws(IbkrError) -> AccountLedgerFeed {
    AccountLedgerFeed(account: try FeedParameter.account(account), keys: keys, fields: fields)
  }
}
