// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

// Control frames (RFC 6455 section 5.5) and closing the connection (section 7).

extension ConnectionMachine {
  /// Parsing pauses when this much output waits to be written.
  static var highWater: Int { 1 << 16 }

  /// A control frame has arrived; it may stand between the fragments of a message (section 5.4).
  mutating func receiveControl(
    _ header: FrameHeader,
    _ payload: UnsafeRawBufferPointer
  ) throws(ProtocolError) {
    guard !header.isCompressed else {
      throw ProtocolError(.reservedBits, "a control frame with RSV1 set")
    }
    switch header.opcode {
    case .ping:
      append(.ping, payload.count)
      answer(payload)
    case .pong:
      append(.pong, payload.count)
    case .close:
      let close = try CloseFrame(payload: payload)
      append(.close, payload.count)
      receiveClose(close)
    case .continuation, .text, .binary:
      break  // not control frames
    }
  }

  /// Section 5.5.2: a pong with the ping's payload, unless the connection is closing.
  ///
  /// Each ping gets its own while output can be written. When it cannot, only the latest is
  /// answered, as section 5.5.3 allows: otherwise a peer that sends pings and reads nothing would
  /// fill our memory.
  private mutating func answer(_ ping: UnsafeRawBufferPointer) {
    guard closeSent == nil else { return }
    guard !outputIsBlocked else {
      unansweredPing = Array(ping)
      return
    }
    sendFrame(.pong, ping)
    answers.append(ControlFrame(kind: .pong, payload: Array(ping)))
    roundEnds = roundEnds || output.count >= Self.highWater
  }

  /// Section 5.5.1: the first close frame is answered with the same code, and ends reading.
  private mutating func receiveClose(_ close: CloseFrame) {
    closeReceived = close
    message = nil
    frame = nil
    assembly.dropUnfinished()
    roundEnds = true
    if closeSent == nil {
      answerWithClose(CloseFrame(code: close.code))
    }
  }

  /// Section 7.1.7, "fail the connection": tells the peer why, and delivers nothing more.
  mutating func fail(_ error: ProtocolError) {
    failure = error
    message = nil
    frame = nil
    assembly.dropUnfinished()
    if closeSent == nil, error.closeCode.isAllowedOnTheWire {
      answerWithClose(CloseFrame(code: error.closeCode))
    }
  }

  private mutating func answerWithClose(_ close: CloseFrame) {
    answers.append(ControlFrame(kind: .close, payload: close.payload))
    sendClose(close)
  }

  /// Takes the control frames that were sent of the machine's own accord, for those who keep a log.
  ///
  /// - Returns: What was sent since the last call, in order.
  package mutating func takeAnswers() -> [ControlFrame] {
    defer { answers = [] }
    return answers
  }

  /// Starts the closing handshake (section 7.1.2); messages of the peer may still arrive.
  ///
  /// - Parameters:
  ///   - code: The reason as a number, or nil for a close frame without a body.
  ///   - reason: The reason for people, at most 123 bytes of UTF-8, only together with a code.
  /// - Throws: ``ProtocolError`` for what no close frame can carry. Closing twice is not an error.
  package mutating func close(
    _ code: CloseCode? = .normal,
    reason: String = ""
  ) throws(ProtocolError) {
    if let code, !code.isAllowedOnTheWire {
      throw ProtocolError(.invalidArgument, "close code \(code) cannot be sent")
    }
    guard reason.utf8.count <= CloseFrame.longestReason, code != nil || reason.isEmpty else {
      throw ProtocolError(
        .invalidArgument,
        "a close reason needs a code and has at most \(CloseFrame.longestReason) bytes"
      )
    }
    guard closeSent == nil, failure == nil else { return }
    sendClose(CloseFrame(code: code, reason: reason))
  }

  private mutating func sendClose(_ close: CloseFrame) {
    closeSent = close
    unansweredPing = nil
    close.payload.withUnsafeBytes { sendFrame(.close, $0) }
  }

  // MARK: - Output

  /// How many bytes wait to be written.
  package var pendingOutput: Int { output.count }

  /// Whether so much waits that senders should.
  package var isOutputFull: Bool { output.count >= Self.highWater }

  /// Lends the bytes that wait to be written.
  ///
  /// - Parameter body: Gets the bytes; it says what became of them with ``outputWritten(_:)``.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws.
  package func withOutput<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try output.withBytes(body)
  }

  /// Says that the first bytes of the output were written.
  ///
  /// - Parameter count: How many.
  package mutating func outputWritten(_ count: Int) {
    output.consume(count)
    guard output.isEmpty else { return }
    outputIsBlocked = false
    if let ping = unansweredPing {
      unansweredPing = nil
      ping.withUnsafeBytes { sendFrame(.pong, $0) }
      answers.append(ControlFrame(kind: .pong, payload: ping))
    }
  }

  /// Says that the output could not be written now; until it is, pings share one pong.
  package mutating func outputWouldBlock() {
    outputIsBlocked = true
  }

  /// Forgets what waits to be written, because nothing can be.
  package mutating func discardOutput() {
    output.discard()
    unansweredPing = nil
  }
}
