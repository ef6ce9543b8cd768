// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

@testable import IBKR

/// Makes batches of events as the I/O thread would.
struct EventSource: ~Copyable {
  private var builder = EventBatchBuilder()

  /// The time of the next event, in nanoseconds since 1970; it grows by a millisecond each.
  var realtime: Int64 = 1_795_478_000_000_000_000

  /// Adds a message, and says of it what can be seen in it.
  mutating func message(
    _ bytes: some Collection<UInt8>,
    topic: Topic? = nil,
    named name: String = "",
    direction: Direction = .inbound,
    kind: FrameKind = .binary,
    conid: Int = 0,
    updated: Int64 = .min
  ) {
    let bytes = Array(bytes)
    let isUTF8 = String(validating: bytes, as: UTF8.self) != nil
    let offset = Self.offset(of: Array(name.utf8), in: bytes)
    realtime += 1_000_000
    bytes.withUnsafeBytes { payload in
      // What the reader of the socket would note of a quote.
      var router = MessageRouter()
      var seen = EventRecord(seq: 0, realtime: 0, monotonic: 0, sort: .message)
      if topic == .marketData { _ = router.route(payload, into: &seen) }
      builder.append(
        payload,
        direction: direction,
        kind: kind,
        realtime: realtime,
        monotonic: realtime - 1_700_000_000_000_000_000
      ) { record in
        record.topic = topic
        record.conid = conid
        record.updated = updated
        record.request = seen.request
        record.digest = seen.digest
        record.flags = seen.flags.intersection([.value, .error])
        if isUTF8, kind == .text || kind == .binary { record.flags.insert(.utf8) }
        if let offset {
          record.topicOffset = UInt32(offset)
          record.topicLength = UInt32(name.utf8.count)
        }
      }
      builder.markLast(fields: router.fields)
    }
  }

  /// Adds a message of text.
  mutating func message(_ text: String, topic: Topic? = nil, named name: String = "") {
    message(text.utf8, topic: topic, named: name)
  }

  /// Adds an event of our own.
  mutating func own(_ event: OwnEvent) {
    realtime += 1_000_000
    builder.append(event, realtime: realtime, monotonic: realtime - 1_700_000_000_000_000_000)
  }

  /// All events since the last call.
  mutating func take() throws -> EventBatch {
    guard let batch = builder.take() else { throw NothingToTake() }
    return batch
  }

  struct NothingToTake: Error {}

  private static func offset(of name: [UInt8], in bytes: [UInt8]) -> Int? {
    guard !name.isEmpty, bytes.count >= name.count else { return nil }
    return (0...bytes.count - name.count).first { bytes[$0...].starts(with: name) }
  }
}
