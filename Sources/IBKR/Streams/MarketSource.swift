// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Where events come from: a live stream, or a recording that is played again.
///
/// Code that is written for this does not know which: a bot that trades on ``IbkrWsClient`` is tried
/// on last Tuesday without a change.
public protocol MarketSource: Sendable {
  /// Every quote that is subscribed to, merged: what is known of it as of now.
  var book: Book { get }

  /// Everything that happens from now on, as one subscriber sees it.
  ///
  /// - Parameters:
  ///   - filter: Which events.
  ///   - policy: What happens when this subscriber is slower than the stream.
  /// - Returns: The events.
  func events(matching filter: EventFilter, buffering policy: OverflowPolicy) -> EventStream

  /// Subscribes to a feed and gives its values.
  ///
  /// - Parameters:
  ///   - feed: What to subscribe to.
  ///   - policy: What happens when this subscriber is slower than the stream.
  /// - Returns: The values from now on.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`.
  func subscribe<F: Feed>(
    _ feed: F,
    buffering policy: OverflowPolicy
  ) async throws(IbkrError) -> FeedStream<F>

  /// Subscribes to a feed whose messages somebody else takes.
  ///
  /// - Parameter feed: What to subscribe to.
  /// - Returns: The key that its events carry, to ``release(_:)`` it by.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`.
  @discardableResult
  func want(_ feed: some Feed) async throws(IbkrError) -> SubscriptionKey

  /// Ends a subscription that was asked for with ``want(_:)``.
  ///
  /// - Parameter key: What ``want(_:)`` returned.
  func release(_ key: SubscriptionKey) async

  /// Hands everything from now on to a sink.
  ///
  /// - Parameters:
  ///   - sink: Where the events go.
  ///   - filter: Which events.
  /// - Returns: A handle that tells when and how the sink has ended.
  @discardableResult
  func attach(_ sink: some EventSink, matching filter: EventFilter) -> AttachedSink

  /// What the connection is doing now, and then whatever it does next.
  var connectionStates: AsyncStream<ConnectionState> { get }

  /// What is known of the brokerage session now, and then whatever becomes known.
  var sessionStates: AsyncStream<SessionState> { get }

  /// How far a subscription has come, and then how it goes on.
  ///
  /// - Parameter key: The subscription.
  /// - Returns: Its states; none if it has ended.
  func states(of key: SubscriptionKey) -> AsyncStream<SubscriptionState>
}

extension IbkrWsClient: MarketSource {}

extension MarketSource {
  /// What the server says from now on, and the lifecycle; the oldest go if nobody takes them.
  ///
  /// - Parameter filter: Which events.
  /// - Returns: The events.
  public func events(matching filter: EventFilter = .inbound) -> EventStream {
    events(matching: filter, buffering: .dropOldest())
  }

  /// Subscribes to a feed and gives its values; the oldest go if nobody takes them.
  ///
  /// - Parameter feed: What to subscribe to.
  /// - Returns: The values from now on.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`.
  public func subscribe<F: Feed>(_ feed: F) async throws(IbkrError) -> FeedStream<F> {
    try await subscribe(feed, buffering: .dropOldest())
  }

  /// Hands everything from now on to a sink.
  ///
  /// - Parameter sink: Where the events go.
  /// - Returns: A handle that tells when and how the sink has ended.
  @discardableResult
  public func attach(_ sink: some EventSink) -> AttachedSink {
    attach(sink, matching: .all)
  }
}
