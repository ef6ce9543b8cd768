// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

// Sending (RFC 6455 section 6.1).

extension ConnectionMachine {
  /// Queues a message, compressed if that was negotiated, in fragments if it is long.
  ///
  /// - Parameters:
  ///   - kind: Text or binary. That text is UTF-8 is up to the caller.
  ///   - payload: The message.
  /// - Throws: ``ProtocolError`` with `notOpen` after a close frame or a failure.
  package mutating func send(
    _ kind: MessageKind,
    _ payload: UnsafeRawBufferPointer
  ) throws(ProtocolError) {
    try checkOpen()
    let opcode: Opcode = kind == .text ? .text : .binary
    guard let deflater else {
      sendFragments(opcode, payload, isCompressed: false)
      return
    }
    deflater.compress(payload).withUnsafeBytes {
      sendFragments(opcode, $0, isCompressed: true)
    }
  }

  /// Queues a ping (section 5.5.2).
  ///
  /// - Parameter payload: At most 125 bytes, which come back in the pong.
  /// - Throws: ``ProtocolError`` for a longer one, and after a close frame or a failure.
  package mutating func ping(_ payload: UnsafeRawBufferPointer) throws(ProtocolError) {
    guard payload.count <= FrameHeader.longestControlPayload else {
      throw ProtocolError(.invalidArgument, "a ping carries at most 125 bytes")
    }
    try checkOpen()
    sendFrame(.ping, payload)
  }

  /// Queues bytes that need be no frame at all: for simulated peers that break the rules.
  ///
  /// - Parameter bytes: What the peer will have to cope with.
  package mutating func sendUnchecked(_ bytes: [UInt8]) { output.append(bytes) }

  private func checkOpen() throws(ProtocolError) {
    guard closeSent == nil, closeReceived == nil, failure == nil else {
      throw ProtocolError(.notOpen, "the connection is closing or closed")
    }
  }

  /// Section 5.4: the first fragment has the opcode and RSV1, the last one FIN.
  private mutating func sendFragments(
    _ opcode: Opcode,
    _ payload: UnsafeRawBufferPointer,
    isCompressed: Bool
  ) {
    var start = 0
    repeat {
      let end = start + min(largestSentFrame, payload.count - start)
      sendFrame(
        start == 0 ? opcode : .continuation,
        UnsafeRawBufferPointer(rebasing: payload[start..<end]),
        isFinal: end == payload.count,
        isCompressed: isCompressed && start == 0
      )
      start = end
    } while start < payload.count
  }

  /// Queues one frame; a client's has a fresh masking key (section 5.3).
  mutating func sendFrame(
    _ opcode: Opcode,
    _ payload: UnsafeRawBufferPointer,
    isFinal: Bool = true,
    isCompressed: Bool = false
  ) {
    let header = FrameHeader(
      isFinal: isFinal,
      isCompressed: isCompressed,
      opcode: opcode,
      key: role == .client ? keys.next() : nil,
      payloadLength: payload.count
    )
    output.append(header, payload)
  }
}
