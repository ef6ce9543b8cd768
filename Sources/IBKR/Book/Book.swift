// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// The merged quotes of everything that is subscribed to.
///
/// It is brought up to date before an event is handed to anybody: whoever hears of a quote finds it
/// in the book, or something newer. Reading it is a look-up behind a lock, from any thread.
public final class Book: Sendable {
  private struct Entry: Sendable {
    let key: SubscriptionKey
    var state = QuoteState()
    /// When each column was last sent, on the monotonic clock.
    var stamps = InlineArray<13, Int64>(repeating: 0)
    var stamp: Stamp?

    mutating func merge(
      _ record: EventRecord,
      _ fields: Span<FieldPlace>,
      _ message: UnsafeRawBufferPointer
    ) {
      guard let update = state.apply(record, fields, of: message) else { return }
      stamp = record.stamp
      var changed = update.changed.rawValue
      while changed != 0 {
        stamps[changed.trailingZeroBitCount] = record.monotonic
        changed &= changed &- 1
      }
    }

    mutating func clear() {
      state.clear()
      stamp = nil
    }
  }

  private let entries = Locked<[UInt32: Entry]>([:])
  private let now: @Sendable () -> Int64

  /// Creates an empty book.
  ///
  /// - Parameter now: The monotonic clock of the messages.
  package init(now: @escaping @Sendable () -> Int64) {
    self.now = now
  }

  /// The quote of an instrument as of now, from the subscription that names no exchange.
  ///
  /// - Parameter conid: The contract id.
  public subscript(conid: Int) -> TopOfBook? { self[conid, exchange: nil] }

  /// The quote of an instrument at an exchange as of now; nil if it is not subscribed to, or if no
  /// message has come yet.
  ///
  /// - Parameters:
  ///   - conid: The contract id.
  ///   - exchange: The exchange as the subscription names it; nil for IBKR's choice (SMART).
  public subscript(conid: Int, exchange exchange: String?) -> TopOfBook? {
    let entry = entries.withLock { entries in
      entries.values.first { $0.key.conid == conid && $0.key.exchange.map(String.init) == exchange }
    }
    return entry.flatMap(quote)
  }

  /// The quote of a subscription as of now.
  ///
  /// - Parameter key: The subscription.
  /// - Returns: The quote; nil if the subscription has ended, or if no message has come yet.
  package func quote(of key: SubscriptionKey) -> TopOfBook? {
    entries.withLock { $0[key.number] }.flatMap(quote)
  }

  private func quote(_ entry: Entry) -> TopOfBook? {
    entry.stamp.map { stamp in
      TopOfBook(
        key: entry.key,
        stamp: stamp,
        state: entry.state,
        stamps: entry.stamps,
        readAt: now()
      )
    }
  }

  /// Brings the book up to date; only the I/O thread calls this.
  ///
  /// - Parameter batch: The next events.
  package func merge(_ batch: EventBatch) {
    entries.withLock { entries in
      batch.forEachRecord { record, message, fields in
        guard record.sort == .message else {
          return batch.detail(of: record).map { Self.merge($0, into: &entries) } ?? ()
        }
        guard record.topic == .marketData, record.direction == .inbound else { return }
        message.withUnsafeBytes { bytes in
          entries[record.subscription]?.merge(record, fields, bytes)
        }
      }
    }
  }

  /// Forgets every value: nothing that was known says anything of now.
  package func clear() {
    entries.withLock { entries in
      for number in entries.keys { entries[number]?.clear() }
    }
  }

  private static func merge(_ event: OwnEvent, into entries: inout [UInt32: Entry]) {
    switch event {
    case .subscription(let key, .ended): entries[key.number] = nil
    case .subscription(let key, _) where key.topic == .marketData && entries[key.number] == nil:
      entries[key.number] = Entry(key: key)
    case .gap(let gap) where gap.phase == .began && gap.reason != .overflow:
      // An overflow is a subscriber's loss; nothing was lost on the way here.
      for key in gap.subscriptions { entries[key.number]?.clear() }
    default: break
    }
  }
}
