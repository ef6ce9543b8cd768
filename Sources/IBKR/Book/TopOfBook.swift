// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON

/// The quote of one subscription with every value as of one moment, and how old each one is.
///
/// Messages carry only what has changed; this is what they amount to. A value is nil when the server
/// has never sent it, says that there is none, or may have changed it unheard: everything is
/// forgotten when a gap begins and when the server begins anew, so an old bid never reads as now.
public struct TopOfBook: Sendable {
  /// The instrument.
  public let conid: Int

  /// The exchange that the subscription names; nil for IBKR's choice (SMART).
  public let exchange: String?

  /// The number and time of the last message that is in it.
  public let stamp: Stamp

  private let state: QuoteState
  private let stamps: InlineArray<13, Int64>
  private let readAt: Int64

  init(
    key: SubscriptionKey,
    stamp: Stamp,
    state: QuoteState,
    stamps: InlineArray<13, Int64>,
    readAt: Int64
  ) {
    conid = key.conid ?? 0
    exchange = key.exchange.map(String.init)
    self.stamp = stamp
    self.state = state
    self.stamps = stamps
    self.readAt = readAt
  }

  /// The value of a field: price, size, volume or change.
  ///
  /// - Parameter field: The field; one that is no number of the quote has no value here.
  public subscript(field: MarketDataField) -> Decimal? {
    QuoteState.Column(field: field.id).flatMap { state[$0] }
  }

  /// How long before this was read the server last sent a field.
  ///
  /// It is measured with the monotonic clock, so that setting the time of day does not change it.
  ///
  /// - Parameter field: The field.
  /// - Returns: The age; nil if the field has no value.
  public func age(of field: MarketDataField) -> Duration? {
    guard let column = QuoteState.Column(field: field.id), state[column] != nil else { return nil }
    return .nanoseconds(max(0, readAt - stamps[Int(column.rawValue)]))
  }

  /// The value of a column.
  package subscript(column column: QuoteState.Column) -> Decimal? { state[column] }

  /// What is to be known of the values.
  package var flags: QuoteState.Flags { state.flags }

  /// The best bid.
  public var bid: Decimal? { state[.bid] }

  /// The size at the best bid.
  public var bidSize: Decimal? { state[.bidSize] }

  /// The best ask.
  public var ask: Decimal? { state[.ask] }

  /// The size at the best ask.
  public var askSize: Decimal? { state[.askSize] }

  /// The middle between bid and ask, for arithmetic; nil without both.
  public var middle: Double? {
    guard let bid, let ask else { return nil }
    return (bid.doubleValue + ask.doubleValue) / 2
  }

  /// The last price; see ``isPreviousClose`` and ``isHalted``.
  public var last: Decimal? { state[.last] }

  /// The size of the last trade.
  public var lastSize: Decimal? { state[.lastSize] }

  /// Whether ``last`` is yesterday's close, because there was no trade yet.
  public var isPreviousClose: Bool { state.flags.contains(.lastIsClose) }

  /// Whether trading is halted.
  public var isHalted: Bool { state.flags.contains(.lastIsHalted) }

  /// Whether the data is delayed.
  public var isDelayed: Bool { state.flags.contains(.delayed) }

  /// Whether the data is frozen: the last of a closed market.
  public var isFrozen: Bool { state.flags.contains(.frozen) }
}
