// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Quotes of one instrument (`smd`).
///
/// IBKR sends at most one message per instrument and half second, holding what has changed.
public struct MarketDataFeed: Feed, Hashable {
  /// The contract id.
  public var conid: Int

  /// The exchange, nil for IBKR's choice (SMART).
  public var exchange: String?

  /// The fields to be sent.
  public var fields: [MarketDataField]

  /// What is asked of the server.
  public var request: FeedRequest {
    FeedRequest(
      topic: .marketData,
      target: exchange.map { "\(conid)@\($0)" } ?? "\(conid)",
      conid: conid,
      fields: fields.map(\.id)
    )
  }

  /// Reads a message as a quote.
  ///
  /// - Parameter message: A message of this subscription.
  /// - Returns: The quote, nil for an error.
  public static func decode(_ message: Message) -> MarketData? { MarketData(message) }
}

extension Feed where Self == MarketDataFeed {
  /// Quotes of one instrument.
  ///
  /// - Parameters:
  ///   - conid: The contract id.
  ///   - exchange: The exchange, nil for IBKR's choice (SMART).
  ///   - fields: The fields to be sent.
  /// - Returns: The feed.
  public static func marketData(
    conid: Int,
    exchange: String? = nil,
    fields: [MarketDataField] = MarketDataField.standard
  ) -> MarketDataFeed {
    MarketDataFeed(conid: conid, exchange: exchange, fields: fields)
  }
}
