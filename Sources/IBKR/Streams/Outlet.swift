// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Synchronization

/// The side of a stream that subscribers see, for events that do not come from a socket.
///
/// It never loses an event: whoever publishes waits until every subscriber has room, whatever its
/// policy says. So the same events give the same results every time, at any speed.
package final class Outlet: Sendable {
  private struct State {
    /// The keys of the targets that were named: by subscribers, and by events of this run.
    var keys: [Target: SubscriptionKey] = [:]
    /// How many targets subscribers have named.
    var wanted: UInt32 = 0
    var subscribers = 0
    var waiter: (count: Int, continuation: CheckedContinuation<Void, Never>)?
  }

  private struct Target: Hashable {
    let topic: Topic
    let target: String
  }

  /// Every quote, merged, as of the last event that was published.
  package let book: Book

  private let board = StateBoard()
  private let broadcast: Broadcast
  private let space: SpaceSignal
  private let clock: PublishedTime
  private let state = Locked(State())
  private let attachments: AsyncStream<AttachedSink>
  private let attachmentInput: AsyncStream<AttachedSink>.Continuation

  /// The monotonic time of the last event.
  private final class PublishedTime: Sendable {
    let monotonic = Atomic<Int64>(0)
  }

  private let isStopped = Atomic<Bool>(false)

  /// Creates an outlet without subscribers.
  package init() {
    let clock = PublishedTime()
    let space = SpaceSignal()
    self.clock = clock
    self.space = space
    book = Book { clock.monotonic.load(ordering: .relaxed) }
    broadcast = Broadcast { space.raise() }
    // Sinks are attached by the program's own code, a handful in a run.
    (attachments, attachmentInput) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
  }

  // MARK: - Subscribers

  /// Adds a subscriber, for which publishing waits.
  package func events(
    matching filter: EventFilter,
    buffering policy: OverflowPolicy
  ) -> EventStream {
    var policy = policy
    policy.action = .backpressure
    let events = broadcast.subscribe(matching: filter, buffering: policy)
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      state.subscribers += 1
      guard let waiter = state.waiter, state.subscribers >= waiter.count else { return nil }
      state.waiter = nil
      return waiter.continuation
    }
    waiter?.resume()
    return events
  }

  /// Subscribes to a feed and gives its values.
  ///
  /// - Parameters:
  ///   - feed: What to subscribe to.
  ///   - policy: Whose bounds count.
  /// - Returns: The values from now on.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`.
  package func subscribe<F: Feed>(
    _ feed: F,
    buffering policy: OverflowPolicy
  ) throws(IbkrError) -> FeedStream<F> {
    let key = try want(feed)
    let events = events(
      matching: EventFilter.subscription(key).withoutLifecycle,
      buffering: policy
    )
    return FeedStream(key: key, events: events, hold: Hold {})
  }

  /// The key of a feed.
  ///
  /// - Parameter feed: What to subscribe to.
  /// - Returns: The key that its events carry.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`.
  package func want(_ feed: some Feed) throws(IbkrError) -> SubscriptionKey {
    let request = feed.request
    try request.validate()
    return state.withLock { state in
      let target = Target(topic: request.topic, target: request.target)
      if let key = state.keys[target] { return key }
      let key = SubscriptionKey(
        topic: request.topic,
        target: request.target,
        conid: request.conid,
        number: Self.firstWanted + state.wanted
      )
      state.wanted += 1
      state.keys[target] = key
      return key
    }
  }

  /// The key of a subscription that events name: the one that subscribers have, or its own.
  ///
  /// - Parameter key: The key in the events.
  /// - Returns: The key that they are to have.
  package func key(for key: SubscriptionKey) -> SubscriptionKey {
    state.withLock { state in
      let target = Target(topic: key.topic, target: key.target)
      if let known = state.keys[target] { return known }
      // A key of the run before, whose number says nothing in this one, has none.
      if key.number > 0 { state.keys[target] = key }
      return key
    }
  }

  /// Above every number that a recorder gives.
  private static let firstWanted: UInt32 = 1 << 31

  /// Hands everything from now on to a sink, whose calls ``runSinks()`` makes.
  package func attach(_ sink: some EventSink, matching filter: EventFilter) -> AttachedSink {
    let attached = AttachedSink(sink, events: events(matching: filter, buffering: sink.overflow))
    attachmentInput.yield(attached)
    return attached
  }

  /// Feeds the sinks until ``finish()``, and returns when all of them have ended.
  package func runSinks() async {
    await withTaskGroup(of: Void.self) { group in
      for await sink in attachments {
        group.addTask { await sink.run() }
      }
    }
  }

  package var connectionStates: AsyncStream<ConnectionState> { board.connection.values() }

  package var sessionStates: AsyncStream<SessionState> { board.session.values() }

  /// How far a subscription has come.
  package func states(of key: SubscriptionKey) -> AsyncStream<SubscriptionState> {
    board.subscription(key)?.values() ?? AsyncStream { $0.finish() }
  }

  // MARK: - Publishing

  /// Waits until there have been so many subscribers.
  package func waitForSubscribers(_ count: Int) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isEnough = state.withLock { state in
          if state.subscribers >= count || Task.isCancelled || isStopped.load(ordering: .acquiring)
          {
            return true
          }
          state.waiter = (count, continuation)
          return false
        }
        if isEnough { continuation.resume() }
      }
    } onCancel: {
      stopWaiting()
    }
  }

  /// Ends ``waitForSubscribers(_:)`` and ``waitForSpace()`` at once, and for ever.
  package func stopWaiting() {
    isStopped.store(true, ordering: .releasing)
    state.withLock { $0.waiter.take() }?.continuation.resume()
    space.raise()
  }

  /// Hands events to all subscribers; only one task publishes.
  ///
  /// - Parameter batch: The next events.
  package func publish(_ batch: EventBatch) {
    merge(batch)
    broadcast.publish(batch, isEssential: true)
  }

  /// Takes events into the book and the states without handing them to anybody.
  ///
  /// - Parameter batch: Events from before those that are published.
  package func merge(_ batch: EventBatch) {
    if let last = batch.records.last {
      clock.monotonic.store(last.monotonic, ordering: .relaxed)
    }
    book.merge(batch)
    board.note(batch, endsWithConnection: false)
  }

  /// Waits until every subscriber has room.
  package func waitForSpace() async {
    while !Task.isCancelled, !isStopped.load(ordering: .acquiring) {
      space.reset()
      guard broadcast.isFull else { return }
      await space.wait()
    }
  }

  /// A run of the recorder has ended, and what was known at its end says nothing of the next one.
  package func forget() {
    book.clear()
    // The next run numbers its subscriptions anew; those that subscribers have named stay.
    state.withLock { state in
      state.keys = state.keys.filter { $0.value.number >= Self.firstWanted }
    }
  }

  /// Ends every subscriber's sequence, after what waits for it.
  package func finish() {
    broadcast.finish()
    attachmentInput.finish()
    board.finish()
  }
}
