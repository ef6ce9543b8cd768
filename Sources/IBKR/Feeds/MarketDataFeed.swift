// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Quotes of one instrument (`smd`).
///
/// IBKR sends at most one message per instrument and half second, holding what has changed.
public struct MarketDataFeed: Feed, Hashable {
  /// The contract id; 0 for a combination.
  public let conid: Int

  /// The exchange, nil for IBKR's choice (SMART).
  public let exchange: String?

  /// The fields to be sent.
  public let fields: [MarketDataField]

  /// The legs of a combination; empty for an instrument.
  public let legs: [CombinationLeg]

  init(
    conid: Int,
    exchange: String?,
    fields: [MarketDataField],
    legs: [CombinationLeg] = []
  ) {
    self.conid = conid
    self.exchange = exchange
    self.fields = fields
    self.legs = legs
  }

  /// What is asked of the server.
  public var request: FeedRequest {
    let instrument = exchange.map { "\(conid)@\($0)" } ?? "\(conid)"
    let legs = legs.map { "\($0.conid)/\($0.ratio)" }.joined(separator: ",")
    return FeedRequest(
      topic: .marketData,
      target: legs.isEmpty ? instrument : "\(instrument);;;\(legs)",
      conid: legs.isEmpty ? conid : nil,
      fields: fields.map(\.id)
    )
  }

  /// Reads a message as a quote.
  ///
  /// - Parameter message: A message of this subscription.
  /// - Returns: The quote, nil for an error.
  public static func decode(_ message: Message) -> MarketData? { MarketData(message) }
}

/// One leg of a combination.
public struct CombinationLeg: Sendable, Hashable {
  /// The contract id.
  public let conid: Int

  /// How many of it, negative for sold ones.
  public let ratio: Int

  /// Creates a leg.
  ///
  /// - Parameters:
  ///   - conid: The contract id.
  ///   - ratio: How many of it, negative for sold ones.
  public init(conid: Int, ratio: Int) {
    self.conid = conid
    self.ratio = ratio
  }
}

extension Feed where Self == MarketDataFeed {
  /// Quotes of one instrument.
  ///
  /// - Parameters:
  ///   - conid: The contract id.
  ///   - exchange: The exchange, nil for IBKR's choice (SMART).
  ///   - fields: The fields to be sent.
  /// - Returns: The feed.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`, if the conid is not positive, the
  ///   exchange cannot be written, or no field is asked for.
  public static func marketData(
    conid: Int,
    exchange: String? = nil,
    fields: [MarketDataField] = MarketDataField.standard
  ) throws(IbkrError) -> MarketDataFeed {
    let feed = MarketDataFeed(conid: conid, exchange: exchange, fields: fields)
    try feed.request.validate()
    return feed
  }

  /// Quotes of a combination of instruments.
  ///
  /// - Parameters:
  ///   - legs: The legs, two or more.
  ///   - exchange: The exchange, for combinations outside the United States.
  ///   - fields: The fields to be sent.
  /// - Returns: The feed.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`, if there are too few legs, one of
  ///   them is none, the exchange cannot be written, or no field is asked for.
  public static func marketData(
    combination legs: [CombinationLeg],
    exchange: String? = nil,
    fields: [MarketDataField] = MarketDataField.standard
  ) throws(IbkrError) -> MarketDataFeed {
    guard legs.count > 1, legs.allSatisfy({ $0.conid > 0 && $0.ratio != 0 }) else {
      throw IbkrError(
        .invalidSubscription,
        "this is no combination",
        remedy: "name at least two legs with positive conids and ratios other than 0"
      )
    }
    // The conid of the spread is 0 for quotes, unlike for orders (protocol reference 4.9).
    let feed = MarketDataFeed(conid: 0, exchange: exchange, fields: fields, legs: legs)
    try feed.request.validate()
    return feed
  }
}
