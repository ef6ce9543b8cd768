// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import OAuth1a

/// The order book of one instrument (`sbd`); it needs a subscription to the depth of the book.
///
/// The server ends it by account, so there is one ladder per account at a time.
public struct PriceLadderFeed: Feed, Equatable {
  /// The account whose market-data subscription is used.
  public let account: Secret

  /// The contract id.
  public let conid: Int

  /// The exchange, nil for the server's choice.
  public let exchange: String?

  /// What is asked of the server.
  public var request: FeedRequest {
    let target = "\(account.exposedText)+\(conid)"
    return FeedRequest(
      topic: .priceLadder,
      target: exchange.map { "\(target)+\($0)" } ?? target,
      conid: conid
    )
  }

  /// Reads a message as lines of the book.
  ///
  /// - Parameter message: A message of this subscription.
  /// - Returns: The lines, nil for an error.
  public static func decode(_ message: Message) -> PriceLadder? { PriceLadder(message) }
}

extension Feed where Self == PriceLadderFeed {
  /// The order book of one instrument.
  ///
  /// - Parameters:
  ///   - account: The account whose market-data subscription is used.
  ///   - conid: The contract id.
  ///   - exchange: The exchange, nil for the server's choice.
  /// - Returns: The feed.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`, if the conid is not positive, or
  ///   the account or the exchange cannot be written.
  public static func priceLadder(
    account: Secret,
    conid: Int,
    exchange: String? = nil
  ) throws(IbkrError) -> PriceLadderFeed {
    if let exchange, exchange.isEmpty || !FeedRequest.isPlain(exchange) {
      throw FeedRequest.unwritable("the exchange '\(exchange)'")
    }
    let account = try FeedParameter.account(account)
    let feed = PriceLadderFeed(account: account, conid: conid, exchange: exchange)
    try feed.request.validate()
    return feed
  }
}
