// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// The values of one feed, as one subscriber sees them.
///
/// It is iterated once. When nobody iterates any longer, the subscription ends. What a slow
/// subscriber loses is counted in ``Iterator/droppedCount``; to see losses and gaps in their place,
/// take ``IbkrWsClient/events(matching:buffering:)``.
public struct FeedStream<F: Feed>: AsyncSequence, Sendable {
  /// What the sequence gives.
  public typealias Element = F.Element

  /// How the sequence can fail: only under ``OverflowPolicy/fail``.
  public typealias Failure = IbkrError

  /// The subscription, which its events carry; see ``IbkrWsClient/states(of:)``.
  public let key: SubscriptionKey

  let events: EventStream
  let hold: Hold

  /// Starts the one iteration; a second iterator ends at once.
  public func makeAsyncIterator() -> Iterator {
    // When the iterator is gone, the subscription ends, even if the sequence lives on.
    Iterator(events: events.makeAsyncIterator(), hold: Hold { [hold] in hold.release() })
  }

  /// Gives one value after the other.
  public struct Iterator: AsyncIteratorProtocol {
    private var events: EventStream.Iterator
    private let hold: Hold

    /// How many events this subscriber has lost because it was too slow.
    public private(set) var droppedCount = 0

    init(events: EventStream.Iterator, hold: Hold) {
      self.events = events
      self.hold = hold
    }

    /// The next value.
    ///
    /// - Parameter actor: The actor to stay on.
    /// - Returns: The value, nil after the last one or when the task was cancelled.
    /// - Throws: ``IbkrError`` with the code `overflow`, under ``OverflowPolicy/fail``.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(IbkrError) -> F.Element? {
      while let event = try await events.next(isolation: actor) {
        switch event {
        case .message(let message):
          if let value = F.decode(message) { return value }
        case .dropped(let count, _): droppedCount += count
        default: continue
        }
      }
      return nil
    }
  }
}

/// Does something once: when it is told to, or at the latest when nobody holds it any longer.
final class Hold: Sendable {
  private let action: Locked<(@Sendable () -> Void)?>

  init(_ action: @escaping @Sendable () -> Void) {
    self.action = Locked(action)
  }

  deinit { release() }

  func release() {
    action.withLock { $0.take() }?()
  }
}
