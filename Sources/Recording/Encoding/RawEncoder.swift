// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import IBKR

/// Writes the lines of `ch=raw`: every event of a run, exactly.
struct RawEncoder {
  private let start: LineStart

  init(_ start: LineStart) {
    self.start = start
  }

  /// What of a message goes into its line.
  struct Content {
    /// The bytes; those of a message that holds a secret come from the redactor.
    var payload: UnsafeRawBufferPointer
    /// The verbatim topic, empty if there is none.
    var topic: UnsafeRawBufferPointer
    /// Whether `payload` differs from what crossed the wire.
    var isRedacted = false
  }

  /// Appends the line of a message or control frame, or of an answer by REST.
  func append(_ record: EventRecord, _ content: Content, to lines: inout LineBuffer) {
    appendHead(record, to: &lines)
    let isText = record.flags.contains(.utf8) || Self.isValid(content.payload, of: record.kind)
    lines.append(Self.way(of: record))
    if record.kind.isREST, record.kind != .backfill, let topic = record.topic {
      // It names none itself.
      lines.append(",\"topic\":")
      lines.append(string: topic.rawValue)
      lines.append(",\"msg\":")
    } else if content.topic.isEmpty {
      lines.append(",\"topic\":null,\"msg\":")
    } else {
      lines.append(",\"topic\":")
      if isText {
        lines.append(string: content.topic)
      } else {
        lines.append(string: String(decoding: content.topic, as: UTF8.self))
      }
      lines.append(",\"msg\":")
    }
    if isText {
      lines.append(string: content.payload)
      lines.append(",\"b64\":null,\"redacted\":")
    } else {
      lines.append("null,\"b64\":\"")
      var encoded: [UInt8] = []
      Base64.append(content.payload, to: &encoded)
      lines.append(contentsOf: encoded)
      lines.append("\",\"redacted\":")
    }
    lines.append(content.isRedacted)
    lines.append("}\n")
  }

  /// Appends the line of an event of our own.
  ///
  /// - Parameters:
  ///   - record: The event's record.
  ///   - kind: What kind of event it is: the column `op`.
  ///   - text: The event as JSON.
  ///   - isRedacted: Whether something in it was replaced.
  ///   - lines: Where to put the line.
  func append(
    _ record: EventRecord,
    own kind: String,
    text: UnsafeRawBufferPointer,
    isRedacted: Bool,
    to lines: inout LineBuffer
  ) {
    appendHead(record, to: &lines)
    lines.append("\"self\",\"op\":")
    lines.append(string: kind)
    lines.append(",\"topic\":null,\"msg\":")
    lines.append(string: text)
    lines.append(",\"b64\":null,\"redacted\":")
    lines.append(isRedacted)
    lines.append("}\n")
  }

  private func appendHead(_ record: EventRecord, to lines: inout LineBuffer) {
    lines.append(atMost: start.capacity) { room in
      var line = LineCursor(room)
      start.put(seq: record.seq, realtime: record.realtime, event: record.tsEvent, to: &line)
      start.put(monotonic: record.monotonic, to: &line)
      line.put(",\"dir\":")
      return line.count
    }
  }

  /// Control frames are not checked when they come: few have a payload, and a close frame's code is
  /// not text.
  private static func isValid(_ payload: UnsafeRawBufferPointer, of kind: FrameKind) -> Bool {
    switch kind {
    case .text, .binary, .poll, .resync, .backfill: false
    case .close, .ping, .pong: String(validating: payload, as: UTF8.self) != nil
    }
  }

  /// The columns `dir` and `op` of what is no event of our own: `in` and `out` are what crossed the
  /// socket, and nothing else.
  private static func way(of record: EventRecord) -> StaticString {
    switch (record.kind, record.direction) {
    case (.text, .inbound): "\"in\",\"op\":\"text\""
    case (.text, .outbound): "\"out\",\"op\":\"text\""
    case (.binary, .inbound): "\"in\",\"op\":\"binary\""
    case (.binary, .outbound): "\"out\",\"op\":\"binary\""
    case (.close, .inbound): "\"in\",\"op\":\"close\""
    case (.close, .outbound): "\"out\",\"op\":\"close\""
    case (.ping, .inbound): "\"in\",\"op\":\"ping\""
    case (.ping, .outbound): "\"out\",\"op\":\"ping\""
    case (.pong, .inbound): "\"in\",\"op\":\"pong\""
    case (.pong, .outbound): "\"out\",\"op\":\"pong\""
    case (.poll, _): "\"self\",\"op\":\"poll\""
    case (.resync, _): "\"self\",\"op\":\"resync\""
    case (.backfill, _): "\"self\",\"op\":\"bars\""
    }
  }
}
