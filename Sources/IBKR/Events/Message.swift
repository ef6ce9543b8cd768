// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// One message or control frame, with its bytes exactly as they crossed the wire.
///
/// A message is a reference into its batch: making and copying one copies no bytes.
public struct Message: Sendable {
  let storage: EventStorage
  let index: Int

  var record: EventRecord { storage.records[index] }

  /// The number of the message in the run and the time its bytes came out of the socket.
  public var stamp: Stamp { record.stamp }

  /// The number of the message in the run.
  public var seq: UInt64 { record.seq }

  /// When the message was read, in nanoseconds since 1970.
  public var tsRecv: Int64 { record.realtime }

  /// The server's own time of the message (`_updated`) in nanoseconds since 1970, if it has one.
  public var tsEvent: Int64? { record.tsEvent }

  /// Which way the message went.
  public var direction: Direction { record.direction }

  /// The kind of its frame, or how else it came: `poll`, `resync` and `backfill` tell of an answer by REST.
  public var kind: FrameKind { record.kind }

  /// What the message is about; nil for control frames.
  public var topic: Topic? { record.topic }

  /// The instrument, for messages that have one.
  public var conid: Int? { record.conid == 0 ? nil : record.conid }

  /// The number of the subscription that it belongs to; nil for none.
  package var subscriptionNumber: UInt32? { record.subscription == 0 ? nil : record.subscription }

  /// Whether the message is an image of the state and not a market event: the first messages after
  /// a subscription or its renewal.
  public var isSnapshot: Bool { record.flags.contains(.snapshot) }

  /// Whether all that the message tells has been told before in this run.
  ///
  /// `str` replays executions after every subscription, each two to four times, and re-syncing after
  /// a gap tells them again (protocol reference 4.12). They are handed on like everything else, and
  /// known by this. A message that repeats some of its executions only is none;
  /// ``Execution/isDuplicate`` tells which.
  public var isDuplicate: Bool { record.flags.contains(.duplicate) }

  /// Whether a part of the message has been told before.
  func isDuplicate(part index: Int) -> Bool {
    if isDuplicate { return true }
    guard record.detail > 0, record.kind != .backfill else { return false }
    let marks = storage.repeats[Int(record.detail) - 1]
    return marks.indices.contains(index) && marks[index]
  }

  /// What the message fills, if its ``kind`` is `backfill`: of its bars those count that begin within
  /// ``Backfill/range``.
  public var backfill: Backfill? {
    guard record.kind == .backfill, record.detail > 0 else { return nil }
    return storage.fills[Int(record.detail) - 1]
  }

  /// Whether the bytes are valid UTF-8.
  ///
  /// IBKR has sent text that is not.
  public var isUTF8: Bool { record.flags.contains(.utf8) }

  /// The number of bytes.
  public var byteCount: Int { record.length }

  /// Gives the bytes to `body`, without a copy.
  ///
  /// - Parameter body: What to do with the bytes, which live only during the call.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws.
  public func withBytes<Result, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let bytes = storage.bytes
    let span = bytes.span
    return try body(span.extracting(record.payload))
  }

  /// A copy of the bytes.
  public var bytes: [UInt8] { Array(storage.bytes[record.payload]) }

  /// The message as text; bytes that are not UTF-8 become replacement characters.
  public var text: String { String(decoding: storage.bytes[record.payload], as: UTF8.self) }
}
