// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What a ``BoundedQueue`` carries: several elements in order, which it may cut in two.
package protocol QueueBatch: Sendable {
  /// How many elements there are, at least one.
  var count: Int { get }

  /// How much memory they take; a part never takes more than the whole.
  var byteCount: Int { get }

  /// The numbers of the first and the last element, for the account of what was dropped.
  var numbers: ClosedRange<UInt64> { get }

  /// The first elements.
  ///
  /// - Parameter count: How many, at most all.
  /// - Returns: A batch of them.
  func first(_ count: Int) -> Self

  /// All but the first elements.
  ///
  /// - Parameter count: How many not, at most all.
  /// - Returns: A batch of the others.
  func removingFirst(_ count: Int) -> Self

  /// The same elements, in memory of their own if they hold on to much more than they need.
  func compacted() -> Self

  /// Leaves out every element that a later one makes obsolete.
  ///
  /// - Parameter items: What waits, oldest first: batches, and losses from before.
  /// - Returns: The elements that still count, in order, with every loss in its place.
  static func coalescing(_ items: [QueueItem<Self>]) -> [QueueItem<Self>]
}

/// Elements that a queue could not keep.
package struct QueueLoss: Sendable, Hashable {
  /// How many.
  package var count: Int

  /// The lowest and the highest of their numbers.
  package var range: ClosedRange<UInt64>

  /// Creates the account of a loss.
  package init(count: Int, range: ClosedRange<UInt64>) {
    self.count = count
    self.range = range
  }

  /// This loss and another one together.
  package func merging(_ other: QueueLoss?) -> QueueLoss {
    guard let other else { return self }
    let lowest = min(range.lowerBound, other.range.lowerBound)
    let highest = max(range.upperBound, other.range.upperBound)
    return QueueLoss(count: count + other.count, range: lowest...highest)
  }
}

/// How much may wait in a queue.
package struct QueueLimits: Sendable, Hashable {
  /// How many elements.
  package var events: Int

  /// How many bytes.
  package var bytes: Int

  /// Creates limits.
  package init(events: Int, bytes: Int) {
    self.events = events
    self.bytes = bytes
  }
}

/// What a queue does with what does not fit.
package enum QueueOverflow: Sendable, Hashable {
  /// Takes it all the same, and tells the producer to pause: see ``BoundedQueue/requestSpace()``.
  case backpressure
  /// Drops the oldest that waits.
  case dropOldest
  /// Drops what comes.
  case dropNewest
  /// Leaves out what later elements make obsolete; if that frees less than a quarter, the oldest
  /// are dropped as well, so that the work is not done again for every element.
  case coalesce
  /// Ends: the consumer gets what waits, then the loss, then the failure.
  case fail
}

/// What a consumer gets from a queue.
package enum QueueItem<Batch: QueueBatch>: Sendable {
  /// The next elements.
  case batch(Batch)
  /// In this place elements are missing.
  case lost(QueueLoss)
  /// There will be no more, because the queue was to end rather than to lose these.
  case failed(QueueLoss)
  /// There will be no more.
  case ended
}
