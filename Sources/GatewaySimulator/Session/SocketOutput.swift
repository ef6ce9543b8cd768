// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What a socket has to do next.
enum SocketOutput: Hashable, Sendable {
  /// A message, for a binary frame.
  case message(String)
  /// Something that is not one text in one binary frame.
  case odd(OddFrame)
  /// The closing handshake.
  case close(code: UInt16)
  /// The end of the TCP connection without a word.
  case drop
  /// What is sent from now on is lost on the way, and so is what the client sends.
  case vanish

  /// How much memory it takes while it waits.
  var size: Int {
    switch self {
    case .message(let text): text.utf8.count + 32
    case .odd(let frame): frame.payload.count + 32
    case .close, .drop, .vanish: 0
    }
  }
}

/// What a gateway sends otherwise than as one text in one binary frame.
enum OddFrame: Hashable, Sendable {
  /// A text message, which need not be UTF-8.
  case text([UInt8])
  /// A binary message.
  case binary([UInt8])
  /// A binary message in frames of so many bytes.
  case fragments([UInt8], length: Int)
  /// A ping.
  case ping([UInt8])
  /// Bytes that break RFC 6455; the payload is only what the ledger says of it.
  case broken([UInt8], payload: [UInt8])
  /// The first half of a message, behind which the TCP connection ends.
  case cut([UInt8])

  /// What the ledger says of it.
  var payload: [UInt8] {
    switch self {
    case .text(let bytes), .binary(let bytes), .fragments(let bytes, _), .ping(let bytes),
      .broken(_, let bytes), .cut(let bytes):
      bytes
    }
  }

  /// The kind of frame, as the ledger says it.
  var kind: SentFrame.Kind {
    switch self {
    case .text: .text
    case .ping: .ping
    case .binary, .fragments, .broken, .cut: .binary
    }
  }

  /// Whether there is a message in it, complete or not.
  var isMessage: Bool {
    if case .broken(_, let payload) = self { !payload.isEmpty } else { true }
  }

  /// The bytes of those that the WebSocket engine would not send of its own accord.
  var wire: [UInt8] {
    switch self {
    case .fragments(let bytes, let length):
      stride(from: 0, to: max(1, bytes.count), by: max(1, min(length, 125))).flatMap { start in
        let end = min(start + max(1, min(length, 125)), bytes.count)
        let opcode: UInt8 = start == 0 ? 0x02 : 0x00
        return [opcode | (end == bytes.count ? 0x80 : 0), UInt8(end - start)] + bytes[start..<end]
      }
    case .broken(let bytes, _): bytes
    case .cut(let bytes):
      // The length says 125, and fewer bytes follow.
      [0x82, 0x7D] + bytes.prefix(60)
    case .text(let bytes), .binary(let bytes), .ping(let bytes): bytes
    }
  }
}
