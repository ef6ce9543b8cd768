// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Logging
import Transport

extension IbkrWsClient {
  /// Everything that happens from now on, as one subscriber sees it.
  ///
  /// - Parameters:
  ///   - filter: Which events.
  ///   - policy: What happens when this subscriber is slower than the stream.
  /// - Returns: The events; they end with the run, or when nobody iterates any longer.
  public nonisolated func events(
    matching filter: EventFilter = .inbound,
    buffering policy: OverflowPolicy = .dropOldest()
  ) -> EventStream {
    broadcast.subscribe(matching: filter, buffering: policy)
  }

  /// Subscribes to a feed and gives its values.
  ///
  /// The subscription outlives connections. It ends when nobody iterates any longer; two
  /// subscriptions to the same target share one on the wire.
  ///
  /// - Parameters:
  ///   - feed: What to subscribe to.
  ///   - policy: What happens when this subscriber is slower than the stream.
  /// - Returns: The values from now on.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`.
  public func subscribe<F: Feed>(
    _ feed: F,
    buffering policy: OverflowPolicy = .dropOldest()
  ) throws(IbkrError) -> FeedStream<F> {
    let key = try want(feed)
    let events = broadcast.subscribe(
      matching: EventFilter.subscription(key).withoutLifecycle,
      buffering: policy
    )
    return FeedStream(
      key: key,
      events: events,
      hold: Hold { [weak self] in
        guard let self else { return }
        loop.schedule(at: 0) { self.assumeIsolated { $0.release(key) } }
      }
    )
  }

  /// Subscribes to a feed whose messages somebody else takes: a sink, or ``events(matching:buffering:)``.
  ///
  /// - Parameter feed: What to subscribe to.
  /// - Returns: The key that its events carry, to ``release(_:)`` it by.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`.
  @discardableResult
  public func want(_ feed: some Feed) throws(IbkrError) -> SubscriptionKey {
    let request = feed.request
    try request.validate()
    if let other = reconciler.request(like: request), !other.agrees(with: request) {
      throw IbkrError(
        .invalidSubscription,
        "\(request) is subscribed to already with other parameters",
        remedy: "end that subscription first, or use the same"
      )
    }
    let (key, actions) = reconciler.want(request)
    intake.router.add(key)
    perform(actions)
    noteWantedOrders()
    if reconciler.waitingForLines > 0 {
      logger.warning(
        "all market-data lines are in use: instruments wait until others end",
        metadata: [
          "lines": "\(configuration.marketDataLines)", "waiting": "\(reconciler.waitingForLines)",
        ]
      )
    }
    return key
  }

  /// Ends a subscription that was asked for with ``want(_:)``; others to the same target go on.
  ///
  /// - Parameter key: What ``want(_:)`` returned.
  public func release(_ key: SubscriptionKey) {
    let actions = reconciler.release(key)
    guard !actions.isEmpty else { return }
    intake.router.remove(key)
    perform(actions)
    if let gap = gaps.removed(key) { tell(.gap(gap)) }
    noteWantedOrders()
  }

  /// What is subscribed to, in the order in which it was asked for.
  public var subscriptions: [SubscriptionKey] { reconciler.keys }

  /// Hands everything from now on to a sink, behind a queue with the policy that the sink names.
  ///
  /// The sink's calls are made by a task of ``run()``, which does not return before the sink has
  /// ended: so attach before or while it runs.
  ///
  /// - Parameters:
  ///   - sink: Where the events go.
  ///   - filter: Which events.
  /// - Returns: A handle that tells when and how the sink has ended.
  @discardableResult
  public nonisolated func attach(
    _ sink: some EventSink,
    matching filter: EventFilter = .all
  ) -> AttachedSink {
    let attached = AttachedSink(
      sink,
      events: broadcast.subscribe(matching: filter, buffering: sink.overflow)
    )
    attachmentInput.yield(attached)
    return attached
  }
}
