// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import Flow

extension EventBatch: QueueBatch {
  package var numbers: ClosedRange<UInt64> {
    let records = records
    guard let first = records.first?.seq, let last = records.last?.seq else { return 0...0 }
    return first...Swift.max(first, last)
  }

  package func first(_ count: Int) -> EventBatch {
    self[startIndex..<startIndex + count]
  }

  package func removingFirst(_ count: Int) -> EventBatch {
    self[startIndex + count..<endIndex]
  }

  package func compacted() -> EventBatch {
    2 * count >= storage.records.count ? self : copying(count: count) { _ in true }
  }

  /// Leaves out each quote that is followed by one of the same subscription.
  package static func coalescing(
    _ items: [QueueItem<EventBatch>]
  ) -> [QueueItem<EventBatch>] {
    var seen: Set<QuoteIdentity> = []
    // For every batch from the last to the first: which of its events still count.
    let counting = items.reversed().map { item -> [Bool] in
      guard case .batch(let batch) = item else { return [] }
      let counts = batch.records.reversed().map { record in
        !record.isObsolescent || seen.insert(QuoteIdentity(record)).inserted
      }
      return counts.reversed()
    }
    var result = LossKeeper()
    for (item, counts) in zip(items, counting.reversed()) {
      switch item {
      case .batch(let batch): result.append(batch, where: counts)
      case .lost(let loss): result.append(loss)
      case .failed, .ended: break
      }
    }
    return result.items
  }

  /// A batch of some of this one's events, with storage of its own.
  ///
  /// - Parameters:
  ///   - count: How many there will be.
  ///   - isIncluded: Whether the event at a position is one of them.
  /// - Returns: The batch.
  func copying(count: Int, where isIncluded: (Int) -> Bool) -> EventBatch {
    var records: [EventRecord] = []
    records.reserveCapacity(count)
    var bytes: [UInt8] = []
    var fields: [FieldPlace] = []
    var own: [OwnEvent] = []
    var repeats: [[Bool]] = []
    var fills: [Backfill] = []
    for index in indices where isIncluded(index) {
      var record = storage.records[index]
      bytes.append(contentsOf: storage.bytes[record.payload])
      record.offset = bytes.count - record.length
      fields.append(contentsOf: storage.fields[record.fields])
      record.fieldOffset = UInt32(truncatingIfNeeded: fields.count) - record.fieldCount
      if let event = detail(of: record) {
        record.detail = UInt32(own.count)
        own.append(event)
      } else if let backfill = backfill(of: record) {
        fills.append(backfill)
        record.detail = UInt32(fills.count)
      } else if record.detail > 0 {
        repeats.append(storage.repeats[Int(record.detail) - 1])
        record.detail = UInt32(repeats.count)
      }
      records.append(record)
    }
    let storage = EventStorage(
      records: records,
      bytes: bytes,
      fields: fields,
      own: own,
      repeats: repeats,
      fills: fills,
      origin: self.storage.origin
    )
    return EventBatch(storage: storage, indices: storage.records.indices)
  }
}

/// What a quote is one of: the newer of two with the same identity makes the older obsolete.
private struct QuoteIdentity: Hashable {
  let subscription: UInt32
  let conid: Int

  init(_ record: EventRecord) {
    subscription = record.subscription
    conid = record.conid
  }
}

extension EventRecord {
  /// Whether a later message of the same subscription makes this one obsolete.
  fileprivate var isObsolescent: Bool {
    sort == .message && topic == .marketData && direction == .inbound
  }
}

/// Gathers what is kept, and tells of what is not in the places where it was.
private struct LossKeeper {
  private(set) var items: [QueueItem<EventBatch>] = []

  mutating func append(_ loss: QueueLoss) {
    if case .lost(let earlier)? = items.last {
      items[items.count - 1] = .lost(loss.merging(earlier))
    } else {
      items.append(.lost(loss))
    }
  }

  /// Adds the events of a batch that still count, in runs with the losses between them.
  mutating func append(_ batch: EventBatch, where counts: [Bool]) {
    let count = counts.count { $0 }
    if count == batch.count { return items.append(.batch(batch)) }
    let kept = batch.copying(count: count) { counts[$0 - batch.startIndex] }
    var taken = 0
    var runStart = 0
    for (record, stays) in zip(batch.records, counts) {
      if stays {
        taken += 1
        continue
      }
      if runStart < taken { items.append(.batch(kept[runStart..<taken])) }
      runStart = taken
      append(QueueLoss(count: 1, range: record.seq...record.seq))
    }
    if runStart < taken { items.append(.batch(kept[runStart..<taken])) }
  }
}
