// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import WebSocket

/// Turns what the socket gives into numbered, routed events.
///
/// This is the hot path: per message one look, one copy into the batch's bytes, no allocation and no
/// reference counted.
package struct Intake: ~Copyable {
  var builder = EventBatchBuilder()
  var router = MessageRouter()

  /// Starts a run.
  package init() {}

  /// Adds all that one read gave, for who has nothing else to do with it.
  ///
  /// - Parameters:
  ///   - batch: What one read gave.
  ///   - realtime: When it was read, in nanoseconds since 1970.
  ///   - monotonic: When it was read, in nanoseconds of the monotonic clock.
  /// - Returns: The events that wait, with these; nil if there are none.
  package mutating func take(
    _ batch: MessageBatch,
    realtime: Int64,
    monotonic: Int64
  ) -> EventBatch? {
    builder.reserve(events: batch.count, bytes: batch.byteCount)
    for index in 0..<batch.count {
      _ = add(batch, index, realtime: realtime, monotonic: monotonic)
    }
    return builder.take()
  }

  /// Lets messages be routed to a subscription.
  ///
  /// - Parameter key: The subscription.
  package mutating func subscribe(_ key: SubscriptionKey) { router.add(key) }

  /// Adds one message or control frame.
  ///
  /// - Parameters:
  ///   - batch: What one read gave.
  ///   - index: Which of it.
  ///   - realtime: When it was read, in nanoseconds since 1970.
  ///   - monotonic: When it was read, in nanoseconds of the monotonic clock.
  /// - Returns: Who else has to know of it.
  mutating func add(
    _ batch: MessageBatch,
    _ index: Int,
    realtime: Int64,
    monotonic: Int64
  ) -> MessageRouter.Notice {
    let entry = batch[index]
    return batch.withBytes(of: index) { bytes in
      var notice = MessageRouter.Notice.none
      builder.append(
        bytes,
        direction: .inbound,
        kind: FrameKind(entry.kind),
        realtime: realtime,
        monotonic: monotonic
      ) { record in
        // The gateway sends its JSON in binary frames, which nobody has checked yet.
        let isUTF8 = entry.kind == .text ? entry.isValidUTF8 : UTF8Validator.isValid(bytes)
        if isUTF8 { record.flags.insert(.utf8) }
        if entry.kind.isData {
          notice = router.route(bytes, into: &record)
        } else {
          router.forgetFields()
        }
      }
      if !router.fields.isEmpty { builder.markLast(fields: router.fields) }
      if let repeats = router.takeRepeats() { builder.markLast(repeats: repeats) }
      return notice
    }
  }

  /// Adds an answer by REST that tells of orders or executions.
  mutating func add(answer: [UInt8], as kind: FrameKind, realtime: Int64, monotonic: Int64) {
    answer.withUnsafeBytes { bytes in
      builder.append(
        bytes,
        direction: .inbound,
        kind: kind,
        realtime: realtime,
        monotonic: monotonic
      ) { record in
        if UTF8Validator.isValid(bytes) { record.flags.insert(.utf8) }
        router.route(answer: bytes, into: &record)
      }
    }
    if let repeats = router.takeRepeats() { builder.markLast(repeats: repeats) }
  }

  /// Adds a command that is about to be sent.
  mutating func add(command: String, topic: Topic, realtime: Int64, monotonic: Int64) {
    var command = command
    command.withUTF8 { text in
      let bytes = UnsafeRawBufferPointer(text)
      builder.append(
        bytes,
        direction: .outbound,
        kind: .text,
        realtime: realtime,
        monotonic: monotonic
      ) { record in
        record.flags = .utf8
        record.describe(command: bytes, topic)
      }
    }
  }

  /// Adds the close frame that we send.
  mutating func addClose(_ code: CloseCode, realtime: Int64, monotonic: Int64) {
    let payload = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)]
    addControl(.close, payload, realtime: realtime, monotonic: monotonic)
  }

  /// Adds the ping that we send.
  mutating func addPing(realtime: Int64, monotonic: Int64) {
    addControl(.ping, [], realtime: realtime, monotonic: monotonic)
  }

  /// Adds a control frame that the WebSocket has sent of its own accord.
  mutating func add(answer: ControlFrame, realtime: Int64, monotonic: Int64) {
    addControl(FrameKind(answer.kind), answer.payload, realtime: realtime, monotonic: monotonic)
  }

  private mutating func addControl(
    _ kind: FrameKind,
    _ payload: [UInt8],
    realtime: Int64,
    monotonic: Int64
  ) {
    payload.withUnsafeBytes { bytes in
      builder.append(
        bytes,
        direction: .outbound,
        kind: kind,
        realtime: realtime,
        monotonic: monotonic
      )
    }
  }
}

extension MessageBatch {
  /// What the server calls the request that a message of history answers; nil for other messages.
  func historyID(at index: Int) -> String? {
    withBytes(of: index) { bytes in
      guard let head = MessageHead(bytes), head.topic == .history else { return nil }
      return head.requestID(in: bytes)
    }
  }
}

extension EventRecord {
  /// Notes what a command is about.
  ///
  /// - Parameters:
  ///   - command: The command.
  ///   - topic: Its topic.
  mutating func describe(command: UnsafeRawBufferPointer, _ topic: Topic) {
    self.topic = topic
    // The topic and its target stand before the parameters.
    let end = command.firstIndex(of: UInt8(ascii: "{")) ?? command.count
    topicLength = UInt32(end > 0 && end < command.count ? end - 1 : end)
  }
}

extension FrameKind {
  init(_ kind: MessageKind) {
    self =
      switch kind {
      case .text: .text
      case .binary: .binary
      case .close: .close
      case .ping: .ping
      case .pong: .pong
      }
  }
}
