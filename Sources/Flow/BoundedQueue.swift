// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Synchronization

/// A queue between one producer that never waits and one consumer that may.
///
/// It is bounded by elements and by bytes, carries batches, and keeps account of everything that it
/// drops, in its place. The consumer suspends only when the queue is empty, so once per batch at
/// most; continuations are resumed after the lock has been given back.
package final class BoundedQueue<Batch: QueueBatch>: Sendable {
  private typealias Waiter = CheckedContinuation<QueueItem<Batch>, Never>

  private let state: Locked<BoundedQueueState<Batch, Waiter>>
  private let onSpace: @Sendable () -> Void

  /// Changes with every push, after the lock has been given back.
  private let pushes = Atomic<UInt>(0)

  /// Creates an empty queue.
  ///
  /// - Parameters:
  ///   - limits: How much may wait.
  ///   - overflow: What happens with what does not fit.
  ///   - onSpace: Called on the consumer's thread when there is room again after
  ///     ``requestSpace()`` has said that there is none.
  package init(
    limits: QueueLimits,
    overflow: QueueOverflow,
    onSpace: @escaping @Sendable () -> Void = {}
  ) {
    state = Locked(BoundedQueueState(limits: limits, overflow: overflow))
    self.onSpace = onSpace
  }

  /// Adds a batch, or what of it the policy lets in, and never waits.
  ///
  /// - Parameters:
  ///   - batch: The next elements.
  ///   - isEssential: Under ``QueueOverflow/backpressure``, whether the batch is to be kept even when
  ///     the queue is full, because the consumer must learn of it.
  package func push(_ batch: Batch, isEssential: Bool = false) {
    let waiter = state.withLock { $0.push(batch, isEssential: isEssential) }
    waiter?.resume(returning: .batch(batch))
    pushes.add(1, ordering: .relaxed)
  }

  /// Whether the producer should pause before it pushes more.
  ///
  /// - Returns: True if the queue is full and its policy is backpressure; `onSpace` will be called
  ///   when it is half empty or its consumer is gone.
  package func requestSpace() -> Bool {
    state.withLock { $0.requestSpace() }
  }

  /// Gives up waiting for room: what does not fit is dropped, with account, until the queue is half
  /// empty.
  package func shed() {
    state.withLock { $0.shed() }
  }

  /// Whether the queue is dropping because of ``shed()``.
  package var isShedding: Bool { state.withLock(\.isShedding) }

  /// How many elements were lost under ``QueueOverflow/backpressure`` since this was last called.
  package func settle() -> Int {
    state.withLock { $0.settle() }
  }

  /// Ends the queue: the consumer gets what waits, then the end.
  package func finish() {
    state.withLock { $0.finish() }?.resume(returning: .ended)
  }

  /// Takes the next item if there is one, and never waits.
  ///
  /// - Returns: The next batch, or what became of it; nil if the queue is empty.
  package func takeNow() -> QueueItem<Batch>? {
    guard let (item, signalsSpace) = state.withLock({ $0.take() }) else { return nil }
    if signalsSpace { onSpace() }
    return item
  }

  /// Takes the next item, and waits for it if there is none.
  ///
  /// When the task is cancelled, the queue accepts no more: what waits can still be taken.
  ///
  /// - Returns: The next batch, or what became of it.
  package func next() async -> QueueItem<Batch> {
    if Task.isCancelled { finish() }
    if let item = takeNow() ?? lookAgain() { return item }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guard let taken = state.withLock({ $0.take(orWait: continuation) }) else { return }
        if taken.signalsSpace { onSpace() }
        continuation.resume(returning: taken.item)
      }
    } onCancel: {
      finish()
    }
  }

  /// Looks for a moment, about half as long as a wake takes, whether something comes.
  private func lookAgain() -> QueueItem<Batch>? {
    guard state.withLock({ $0.linger.shouldLook() }) else { return nil }
    let before = pushes.load(ordering: .relaxed)
    var rounds = 1_000
    while rounds > 0, pushes.load(ordering: .relaxed) == before { rounds -= 1 }
    let item = takeNow()
    state.withLock { $0.linger.looked(wasUseful: item != nil) }
    return item
  }

  /// The consumer wants no more: the queue ends and gives everything back.
  package func cancel() {
    let (waiter, signalsSpace) = state.withLock { $0.cancel() }
    waiter?.resume(returning: .ended)
    if signalsSpace { onSpace() }
  }

  /// How much waits now.
  package var waiting: QueueLimits {
    state.withLock { QueueLimits(events: $0.events, bytes: $0.bytes) }
  }
}
