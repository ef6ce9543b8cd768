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

  /// Leaves out each quote that is followed by one of the same subscription.
  package static func coalescing(
    _ batches: [EventBatch]
  ) -> (kept: [EventBatch], lost: QueueLoss?) {
    var newest: Set<UInt64> = []
    var seen: Set<UInt32> = []
    for batch in batches.reversed() {
      for record in batch.records.reversed()
      where !record.isObsolescent || seen.insert(record.subscription).inserted {
        newest.insert(record.seq)
      }
    }
    var kept: [EventBatch] = []
    var lost: QueueLoss?
    for batch in batches {
      let records = batch.storage.records
      var passing = 0
      for record in batch.records {
        if newest.contains(record.seq) {
          passing += 1
        } else {
          lost = QueueLoss(count: 1, range: record.seq...record.seq).merging(lost)
        }
      }
      if passing == batch.count {
        kept.append(batch)
      } else if passing > 0 {
        kept.append(batch.copying(count: passing) { newest.contains(records[$0].seq) })
      }
    }
    return (kept, lost)
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
    var own: [OwnEvent] = []
    for index in indices where isIncluded(index) {
      var record = storage.records[index]
      bytes.append(contentsOf: storage.bytes[record.payload])
      record.offset = bytes.count - record.length
      if let event = detail(of: record) {
        record.detail = UInt32(own.count)
        own.append(event)
      }
      records.append(record)
    }
    let storage = EventStorage(records: records, bytes: bytes, own: own)
    return EventBatch(storage: storage, indices: storage.records.indices)
  }
}

extension EventRecord {
  /// Whether a later message of the same subscription makes this one obsolete.
  fileprivate var isObsolescent: Bool {
    sort == .message && topic == .marketData && direction == .inbound
  }
}
