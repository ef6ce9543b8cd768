// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The events of one subscriber, from the moment it was made.
///
/// It is iterated once. The subscription ends, and everything that waits is forgotten, when the
/// iterator is gone (the loop was left), when the task is cancelled, or when the sequence itself is
/// gone without ever having been iterated. A cancelled task still gets what waits, and then the end.
/// The iterator holds the batch that it is working through
/// and suspends once per batch, not per event.
public struct EventStream: AsyncSequence, Sendable {
  /// What the sequence gives.
  public typealias Element = Event

  /// How the sequence can fail: only under ``OverflowPolicy/fail``.
  public typealias Failure = IbkrError

  private let seat: Seat

  init(seat: Seat) {
    self.seat = seat
  }

  /// Starts the one iteration; a second iterator ends at once.
  public func makeAsyncIterator() -> Iterator {
    Iterator(lease: seat.occupy())
  }

  /// Gives one event after the other.
  public struct Iterator: AsyncIteratorProtocol {
    private let lease: Lease?
    private var batch: EventBatch?
    private var index = 0

    init(lease: Lease?) {
      self.lease = lease
    }

    /// The next event.
    ///
    /// - Parameter actor: The actor to stay on.
    /// - Returns: The event, nil after the last one or when the task was cancelled.
    /// - Throws: ``IbkrError`` with the code `overflow`, under ``OverflowPolicy/fail``.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(IbkrError) -> Event? {
      while true {
        if let batch, index < batch.endIndex {
          defer { index += 1 }
          return batch[index]
        }
        batch = nil
        guard let lease else { return nil }
        // What waits is taken without the cost of a call that could suspend.
        var taken = try lease.takeNow()
        if taken == nil { taken = try await lease.next() }
        guard let next = taken else { return nil }
        batch = next
        index = next.startIndex
      }
    }
  }
}

extension EventStream {
  /// The same events a batch at a time, for sinks and for code in a hurry.
  public var batches: Batches { Batches(seat: seat) }

  /// Events in the batches in which they came.
  public struct Batches: AsyncSequence, Sendable {
    /// What the sequence gives.
    public typealias Element = EventBatch

    /// How the sequence can fail: only under ``OverflowPolicy/fail``.
    public typealias Failure = IbkrError

    fileprivate let seat: Seat

    /// Starts the one iteration; a second iterator ends at once.
    public func makeAsyncIterator() -> Iterator { Iterator(lease: seat.occupy()) }

    /// Gives one batch after the other.
    public struct Iterator: AsyncIteratorProtocol {
      let lease: Lease?

      /// The next batch.
      ///
      /// - Parameter actor: The actor to stay on.
      /// - Returns: At least one event, nil after the last one or when the task was cancelled.
      /// - Throws: ``IbkrError`` with the code `overflow`, under ``OverflowPolicy/fail``.
      public mutating func next(
        isolation actor: isolated (any Actor)? = #isolation
      ) async throws(IbkrError) -> EventBatch? {
        try await lease?.next()
      }
    }
  }
}

extension EventStream {
  /// The same events as the standard library's type, for code that wants it.
  ///
  /// It pulls, so it neither drops nor grows; a failure under ``OverflowPolicy/fail`` is its end.
  public var asyncStream: AsyncStream<Event> {
    let puller = Puller(iterator: makeAsyncIterator())
    return AsyncStream { await puller.next() }
  }

  /// Keeps an iterator between the calls of a closure that must be sendable.
  private actor Puller {
    private var iterator: Iterator?

    init(iterator: Iterator) {
      self.iterator = iterator
    }

    func next() async -> Event? {
      // Taken out for the call: an actor lets others in while it waits, and those get the end.
      guard var iterator = self.iterator.take() else { return nil }
      guard let event = try? await iterator.next() else { return nil }
      self.iterator = iterator
      return event
    }
  }
}
