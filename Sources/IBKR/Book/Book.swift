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

  /// The quotes, one behind the other: what is known of a thousand is more than the caches near the
  /// processor hold, and a table of them would lie about at random.
  private struct Shelf: Sendable {
    private(set) var entries: [Entry?] = []
    private var places: [UInt32: Int] = [:]
    private var free: [Int] = []

    subscript(number: UInt32) -> Entry? { places[number].flatMap { entries[$0] } }

    mutating func add(_ key: SubscriptionKey) {
      guard places[key.number] == nil else { return }
      let place = free.popLast() ?? entries.count
      if place == entries.count { entries.append(nil) }
      entries[place] = Entry(key: key)
      places[key.number] = place
    }

    mutating func remove(_ number: UInt32) {
      guard let place = places.removeValue(forKey: number) else { return }
      entries[place] = nil
      free.append(place)
    }

    mutating func merge(
      _ record: EventRecord,
      _ fields: Span<FieldPlace>,
      _ message: UnsafeRawBufferPointer
    ) {
      guard let place = places[record.subscription] else { return }
      entries[place]?.merge(record, fields, message)
    }

    mutating func clear(_ number: UInt32) {
      if let place = places[number] { entries[place]?.clear() }
    }

    mutating func clear() {
      for place in entries.indices { entries[place]?.clear() }
    }
  }

  private let shelf = Locked(Shelf())
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
    let entry = shelf.withLock { shelf in
      shelf.entries.first {
        $0?.key.conid == conid && $0?.key.exchange.map(String.init) == exchange
      }
    }
    return entry.flatMap { $0 }.flatMap(quote)
  }

  /// The quote of a subscription as of now.
  ///
  /// - Parameter key: The subscription.
  /// - Returns: The quote; nil if the subscription has ended, or if no message has come yet.
  package func quote(of key: SubscriptionKey) -> TopOfBook? {
    shelf.withLock { $0[key.number] }.flatMap(quote)
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
    shelf.withLock { shelf in
      batch.forEachRecord { record, message, fields in
        guard record.sort == .message else {
          return batch.detail(of: record).map { Self.merge($0, into: &shelf) } ?? ()
        }
        guard record.topic == .marketData, record.direction == .inbound else { return }
        message.withUnsafeBytes { shelf.merge(record, fields, $0) }
      }
    }
  }

  /// Forgets every value: nothing that was known says anything of now.
  package func clear() {
    shelf.withLock { $0.clear() }
  }

  private static func merge(_ event: OwnEvent, into shelf: inout Shelf) {
    switch event {
    case .subscription(let key, .ended): shelf.remove(key.number)
    case .subscription(let key, _) where key.topic == .marketData: shelf.add(key)
    case .gap(let gap) where gap.phase == .began && gap.reason != .overflow:
      // An overflow is a subscriber's loss; nothing was lost on the way here.
      for key in gap.subscriptions { shelf.clear(key.number) }
    default: break
    }
  }
}
