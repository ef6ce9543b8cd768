// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What several events share: their records, the bytes of the messages, and our own events.
///
/// Immutable once made, so any number of subscribers may read it at once.
package final class EventStorage: Sendable {
  let records: [EventRecord]
  let bytes: [UInt8]
  /// Where the fields of the quotes stand in their messages.
  let fields: [FieldPlace]
  let own: [OwnEvent]
  /// Of messages that repeat some of their parts, which: rare, and a byte for each part.
  let repeats: [[Bool]]
  /// What answers by REST fill.
  let fills: [Backfill]
  let origin: (any EventOrigin)?
  private let memory: BatchMemory?

  init(
    records: [EventRecord],
    bytes: [UInt8],
    fields: [FieldPlace] = [],
    own: [OwnEvent],
    repeats: [[Bool]] = [],
    fills: [Backfill] = [],
    origin: (any EventOrigin)? = nil,
    memory: BatchMemory? = nil
  ) {
    self.records = records
    self.bytes = bytes
    self.fields = fields
    self.own = own
    self.repeats = repeats
    self.fills = fills
    self.origin = origin
    self.memory = memory
  }

  deinit { memory?.give(.init(records: records, bytes: bytes, fields: fields)) }
}

/// Where events come from that are not live.
package protocol EventOrigin: AnyObject, Sendable {}

/// A run of events, in order, that are handed on together.
///
/// Everything that one read of the socket gave is one batch. It is a slice of shared, immutable
/// storage: copying and slicing it copies no event. A batch is a collection of ``Event``; sinks in a
/// hurry use the records.
public struct EventBatch: Sendable {
  let storage: EventStorage

  /// The positions of the events in the shared storage.
  public let indices: Range<Int>

  init(storage: EventStorage, indices: Range<Int>) {
    self.storage = storage
    self.indices = indices
  }

  /// How much memory the events take, for bounds: their bytes, records and places.
  public var byteCount: Int {
    guard !isEmpty else { return 0 }
    var total = count * MemoryLayout<EventRecord>.stride
    let place = MemoryLayout<FieldPlace>.stride
    if indices == storage.records.indices {
      return total + storage.bytes.count + storage.fields.count * place
    }
    for index in indices {
      total += storage.records[index].length + Int(storage.records[index].fieldCount) * place
    }
    return total
  }
}

extension EventBatch: RandomAccessCollection {
  /// The position of the first event.
  public var startIndex: Int { indices.lowerBound }

  /// The position after the last event.
  public var endIndex: Int { indices.upperBound }

  /// The event at a position.
  public subscript(index: Int) -> Event {
    precondition(indices.contains(index), "index \(index) is outside the batch \(indices)")
    let record = storage.records[index]
    switch record.sort {
    case .message: return .message(Message(storage: storage, index: index))
    case .own, .dropped: break
    }
    switch storage.own[Int(record.detail)] {
    case .connection(let state): return .connection(state, at: record.stamp)
    case .session(let state): return .session(state, at: record.stamp)
    case .subscription(let key, let state): return .subscription(key, state, at: record.stamp)
    case .gap(let gap): return .gap(gap)
    case .dropped(let count, let range): return .dropped(count: count, range: range)
    case .backfill(let progress): return .backfill(progress, at: record.stamp)
    }
  }

  /// The batch of the events in a range of positions, sharing this one's storage.
  public subscript(range: Range<Int>) -> EventBatch {
    precondition(
      indices.lowerBound <= range.lowerBound && range.upperBound <= indices.upperBound,
      "range \(range) is outside the batch \(indices)"
    )
    return EventBatch(storage: storage, indices: range)
  }
}

extension EventBatch {
  /// Where the events come from; nil if they are live.
  package var origin: (any EventOrigin)? { storage.origin }

  /// The records of the batch's events.
  package var records: ArraySlice<EventRecord> { storage.records[indices] }

  /// Works through the batch without making events: no allocation and no reference per message.
  ///
  /// - Parameter body: Called for each record with the bytes of its message, and where the fields of
  ///   a quote stand in them (both empty for others).
  /// - Throws: What `body` throws, at once.
  package func forEachRecord<Failure: Error>(
    _ body: (EventRecord, Span<UInt8>, Span<FieldPlace>) throws(Failure) -> Void
  ) throws(Failure) {
    let bytes = storage.bytes
    let span = bytes.span
    let fields = storage.fields
    let places = fields.span
    for index in indices {
      let record = storage.records[index]
      try body(record, span.extracting(record.payload), places.extracting(record.fields))
    }
  }

  /// The value of an own event, for a record whose sort is not `message`.
  package func detail(of record: EventRecord) -> OwnEvent? {
    record.sort == .message ? nil : storage.own[Int(record.detail)]
  }

  /// What a message fills, for a record of the kind `backfill`.
  package func backfill(of record: EventRecord) -> Backfill? {
    guard record.sort == .message, record.kind == .backfill, record.detail > 0 else { return nil }
    return storage.fills[Int(record.detail) - 1]
  }

  /// A batch that tells a subscriber of its loss, and nothing else.
  ///
  /// - Parameters:
  ///   - count: How many events were dropped.
  ///   - range: The numbers of the first and the last of them.
  /// - Returns: A batch of one unnumbered event.
  package static func dropped(count: Int, range: ClosedRange<UInt64>) -> EventBatch {
    let record = EventRecord(seq: 0, realtime: 0, monotonic: 0, sort: .dropped)
    let storage = EventStorage(
      records: [record],
      bytes: [],
      own: [.dropped(count: count, range: range)]
    )
    return EventBatch(storage: storage, indices: 0..<1)
  }
}
