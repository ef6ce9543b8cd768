// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// A subscriber's place in a ``Broadcast``, which is given up when nobody holds it any longer.
final class Seat: Sendable {
  private enum Use { case free, taken, left }

  private let queue: BoundedQueue<EventBatch>
  private let policy: OverflowPolicy
  private let leave: @Sendable () -> Void
  private let use = Locked(Use.free)

  init(
    queue: BoundedQueue<EventBatch>,
    policy: OverflowPolicy,
    leave: @escaping @Sendable () -> Void
  ) {
    self.queue = queue
    self.policy = policy
    self.leave = leave
  }

  deinit { end() }

  /// The right to take events, for the first who asks.
  func occupy() -> Lease? {
    let isFirst = use.withLock { use in
      guard use == .free else { return false }
      use = .taken
      return true
    }
    return isFirst ? Lease(seat: self) : nil
  }

  func end() {
    let isNew = use.withLock { use in
      defer { use = .left }
      return use != .left
    }
    guard isNew else { return }
    leave()
    queue.cancel()
  }

  /// What waits now, without waiting for it; nil if nothing does, or if it is the end.
  fileprivate func takeNow() throws(IbkrError) -> EventBatch? {
    guard !Task.isCancelled, let item = queue.takeNow() else { return nil }
    return try admit(item)
  }

  fileprivate func next() async throws(IbkrError) -> EventBatch? {
    try admit(await queue.next())
  }

  private func admit(_ item: QueueItem<EventBatch>) throws(IbkrError) -> EventBatch? {
    switch item {
    case .batch(let batch): return batch
    case .lost(let loss): return .dropped(count: loss.count, range: loss.range)
    case .ended:
      end()
      return nil
    case .failed(let loss):
      end()
      throw IbkrError(
        .overflow,
        "this subscriber was slower than the stream and would have lost events from number "
          + "\(loss.range.lowerBound) on",
        remedy: "take the events faster, or choose a policy that drops (it held "
          + "\(policy.maximumEvents) events or \(policy.maximumBytes) bytes)"
      )
    }
  }
}

/// What an iterator holds: when it is gone, so is the subscription, even if the sequence lives on.
final class Lease: Sendable {
  private let seat: Seat

  fileprivate init(seat: Seat) { self.seat = seat }

  deinit { seat.end() }

  func takeNow() throws(IbkrError) -> EventBatch? { try seat.takeNow() }

  func next() async throws(IbkrError) -> EventBatch? { try await seat.next() }
}
