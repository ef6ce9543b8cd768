// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Hands every batch to every subscriber, each behind a bounded queue of its own.
///
/// The I/O thread publishes and never waits; what a slow subscriber loses is that subscriber's
/// alone. Only a subscriber with the policy `backpressure` can make the publisher pause, and only
/// by being asked: ``isFull``.
package final class Broadcast: Sendable {
  private final class Subscriber: Sendable {
    let id: UInt64
    let filter: EventFilter
    let queue: BoundedQueue<EventBatch>

    init(id: UInt64, filter: EventFilter, queue: BoundedQueue<EventBatch>) {
      self.id = id
      self.filter = filter
      self.queue = queue
    }
  }

  private struct State {
    var subscribers: [Subscriber] = []
    var nextID: UInt64 = 0
    var isFinished = false
  }

  private let state = Locked(State())
  private let onSpace: @Sendable () -> Void

  /// Creates a broadcast without subscribers.
  ///
  /// - Parameter onSpace: Called on a subscriber's thread when a subscriber of whom ``isFull`` has
  ///   complained has room again.
  package init(onSpace: @escaping @Sendable () -> Void = {}) {
    self.onSpace = onSpace
  }

  /// Adds a subscriber, which gets everything that is published from now on.
  ///
  /// - Parameters:
  ///   - filter: What it wants.
  ///   - policy: What happens when it is slow.
  /// - Returns: Its events.
  package func subscribe(matching filter: EventFilter, buffering policy: OverflowPolicy)
    -> EventStream
  {
    let queue = BoundedQueue<EventBatch>(
      limits: QueueLimits(events: policy.maximumEvents, bytes: policy.maximumBytes),
      overflow: policy.action.queueOverflow,
      onSpace: onSpace
    )
    let id: UInt64? = state.withLock { state in
      guard !state.isFinished else { return nil }
      state.nextID += 1
      state.subscribers.append(Subscriber(id: state.nextID, filter: filter, queue: queue))
      return state.nextID
    }
    if id == nil { queue.finish() }
    return EventStream(
      seat: Seat(queue: queue, policy: policy) { [weak self] in
        guard let id else { return }
        self?.remove(id)
      }
    )
  }

  /// Hands a batch to all subscribers; only the I/O thread calls this.
  ///
  /// - Parameters:
  ///   - batch: The next events.
  ///   - isEssential: Whether even a full subscriber with the policy `backpressure` is to get them:
  ///     true for what the client tells of itself, false for what comes from the wire.
  package func publish(_ batch: EventBatch, isEssential: Bool = false) {
    for subscriber in state.withLock(\.subscribers) {
      guard let matching = subscriber.filter.apply(to: batch) else { continue }
      subscriber.queue.push(matching, isEssential: isEssential)
    }
  }

  /// Whether the publisher should pause: a subscriber with the policy `backpressure` is full.
  ///
  /// If so, `onSpace` will be called.
  package var isFull: Bool {
    var full = false
    // Every one is asked, so that each that is full will tell when it is not.
    for subscriber in state.withLock(\.subscribers) where subscriber.queue.requestSpace() {
      full = true
    }
    return full
  }

  /// Stops waiting for full subscribers: they lose what does not fit, with account, until they have
  /// room again.
  package func shed() {
    for subscriber in state.withLock(\.subscribers) where subscriber.queue.requestSpace() {
      subscriber.queue.shed()
    }
  }

  /// Whether a subscriber is losing events because of ``shed()``.
  package var isShedding: Bool {
    state.withLock(\.subscribers).contains { $0.queue.isShedding }
  }

  /// Closes the account of what ``shed()`` has cost.
  ///
  /// - Returns: The most events that any one subscriber has lost since this was last called.
  package func settleLosses() -> Int {
    state.withLock(\.subscribers).reduce(0) { max($0, $1.queue.settle()) }
  }

  /// Ends every subscriber's sequence, after what waits for it.
  package func finish() {
    let subscribers = state.withLock { state in
      state.isFinished = true
      defer { state.subscribers = [] }
      return state.subscribers
    }
    for subscriber in subscribers { subscriber.queue.finish() }
  }

  /// How many subscribers there are.
  package var subscriberCount: Int { state.withLock { $0.subscribers.count } }

  /// How many events wait in all queues together.
  package var waiting: Int {
    state.withLock(\.subscribers).reduce(0) { $0 + $1.queue.waiting.events }
  }

  private func remove(_ id: UInt64) {
    state.withLock { $0.subscribers.removeAll { $0.id == id } }
  }
}

extension OverflowPolicy.Action {
  fileprivate var queueOverflow: QueueOverflow {
    switch self {
    case .backpressure: .backpressure
    case .dropOldest: .dropOldest
    case .dropNewest: .dropNewest
    case .latestPerInstrument: .coalesce
    case .fail: .fail
    }
  }
}
