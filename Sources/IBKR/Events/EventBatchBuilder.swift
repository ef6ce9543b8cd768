// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Numbers events and gathers them into batches.
///
/// There is one per run, and only the I/O thread uses it: that is what makes the numbers an order.
package struct EventBatchBuilder: ~Copyable {
  private var records: [EventRecord] = []
  private var bytes: [UInt8] = []
  private var fields: [FieldPlace] = []
  /// How many there were in the last batch, on the average: so many are expected in the next one.
  private var fieldsPerEvent = 0
  private var own: [OwnEvent] = []
  private var repeats: [[Bool]] = []
  private var fills: [Backfill] = []
  private var next: UInt64
  private let memory = BatchMemory()

  /// Starts numbering.
  ///
  /// - Parameter first: The number of the first event.
  package init(first: UInt64 = 1) {
    next = first
  }

  /// The number that the next event will have.
  package var nextSeq: UInt64 { next }

  /// Goes on with another number, as a log does that has a hole.
  ///
  /// - Parameter seq: The number that the next event will have.
  package mutating func skip(to seq: UInt64) {
    next = seq
  }

  /// Whether events wait to be taken.
  package var isEmpty: Bool { records.isEmpty }

  /// What the last message is about.
  var lastTopic: Topic? { records.last?.topic }

  /// The subscription of the last message.
  var lastSubscription: UInt32? {
    records.last.flatMap { $0.subscription == 0 ? nil : $0.subscription }
  }

  /// Makes room for what is about to come, so that a batch costs one allocation for each array.
  ///
  /// - Parameters:
  ///   - events: How many events.
  ///   - bytes: How many bytes they have together.
  package mutating func reserve(events: Int, bytes: Int) {
    if records.isEmpty, fields.isEmpty {
      let arrays = memory.take(for: bytes)
      (records, self.bytes, fields) = (arrays.records, arrays.bytes, arrays.fields)
    }
    records.reserveCapacity(records.count + events)
    self.bytes.reserveCapacity(self.bytes.count + bytes)
    fields.reserveCapacity(fields.count + events * fieldsPerEvent)
  }

  /// Adds a message or control frame; its bytes are copied into the batch.
  ///
  /// - Parameters:
  ///   - payload: The bytes as they crossed the wire.
  ///   - direction: Which way they went.
  ///   - kind: The kind of frame.
  ///   - realtime: When, in nanoseconds since 1970.
  ///   - monotonic: When, in nanoseconds of the monotonic clock.
  ///   - describe: Fills in what else is known of the message.
  package mutating func append(
    _ payload: UnsafeRawBufferPointer,
    direction: Direction,
    kind: FrameKind,
    realtime: Int64,
    monotonic: Int64,
    describe: (inout EventRecord) -> Void = { _ in }
  ) {
    var record = EventRecord(
      seq: next,
      realtime: realtime,
      monotonic: monotonic,
      offset: bytes.count,
      length: payload.count,
      sort: .message,
      direction: direction,
      kind: kind
    )
    describe(&record)
    next += 1
    bytes.append(contentsOf: payload)
    records.append(record)
  }

  /// Notes where the fields of the last message stand, which is a quote.
  mutating func markLast(fields list: borrowing FieldList) {
    guard let last = records.indices.last else { return }
    records[last].fieldOffset = UInt32(truncatingIfNeeded: fields.count)
    records[last].fieldCount = UInt32(truncatingIfNeeded: list.count)
    fields.append(contentsOf: list.places)
  }

  /// Notes which parts of the last message have been told before, if not all of them have.
  mutating func markLast(repeats marks: [Bool]) {
    guard let last = records.indices.last else { return }
    repeats.append(marks)
    records[last].detail = UInt32(repeats.count)
  }

  /// Adds an answer by REST with the bars of a gap.
  ///
  /// - Parameters:
  ///   - answer: The bytes as they came.
  ///   - backfill: What of them counts, and for what.
  ///   - realtime: When, in nanoseconds since 1970.
  ///   - monotonic: When, in nanoseconds of the monotonic clock.
  ///   - flags: What else is known of it.
  package mutating func append(
    answer: UnsafeRawBufferPointer,
    to backfill: Backfill,
    realtime: Int64,
    monotonic: Int64,
    flags: EventRecord.Flags = []
  ) {
    fills.append(backfill)
    let place = UInt32(fills.count)
    append(
      answer,
      direction: .inbound,
      kind: .backfill,
      realtime: realtime,
      monotonic: monotonic
    ) { record in
      record.topic = .history
      record.conid = backfill.conid
      record.detail = place
      record.flags = flags
      if String(validating: answer, as: UTF8.self) != nil { record.flags.insert(.utf8) }
    }
  }

  /// Adds an event of our own.
  ///
  /// - Parameters:
  ///   - event: What happened. A gap is given the number here.
  ///   - realtime: When, in nanoseconds since 1970.
  ///   - monotonic: When, in nanoseconds of the monotonic clock.
  ///   - flags: What else is known of it.
  /// - Returns: The number it got.
  @discardableResult
  package mutating func append(
    _ event: OwnEvent,
    realtime: Int64,
    monotonic: Int64,
    flags: EventRecord.Flags = []
  ) -> UInt64 {
    let seq = next
    next += 1
    var event = event
    if case .gap(var gap) = event {
      gap.stamp = Stamp(seq: seq, realtime: realtime, monotonic: monotonic)
      event = .gap(gap)
    }
    var record = EventRecord(
      seq: seq,
      realtime: realtime,
      monotonic: monotonic,
      detail: UInt32(own.count),
      sort: .own
    )
    record.flags = flags
    records.append(record)
    own.append(event)
    return seq
  }

  /// Takes what has been gathered; numbering goes on.
  ///
  /// - Parameter origin: Where they come from; nil if they are live.
  /// - Returns: The events since the last call, nil if there are none.
  package mutating func take(from origin: (any EventOrigin)? = nil) -> EventBatch? {
    guard !records.isEmpty else { return nil }
    let storage = EventStorage(
      records: records,
      bytes: bytes,
      fields: fields,
      own: own,
      repeats: repeats,
      fills: fills,
      origin: origin,
      memory: memory
    )
    fieldsPerEvent = (fields.count + records.count - 1) / records.count
    records = []
    bytes = []
    fields = []
    own = []
    repeats = []
    fills = []
    return EventBatch(storage: storage, indices: storage.records.indices)
  }
}
