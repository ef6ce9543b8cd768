// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What a WebSocket peer can hand to the application.
///
/// The raw values are the opcodes of RFC 6455 section 5.2.
public enum MessageKind: UInt8, Sendable, Hashable {
  /// A text message; see ``MessageBatch/Entry/isValidUTF8``.
  case text = 0x1

  /// A binary message.
  case binary = 0x2

  /// The peer's close frame, always the last thing received on a connection (section 5.5.1).
  case close = 0x8

  /// A ping, already answered when it is seen here (section 5.5.2).
  case ping = 0x9

  /// A pong (section 5.5.3).
  case pong = 0xA

  /// Whether this is a text or a binary message, and not a control frame.
  @inlinable public var isData: Bool { rawValue < 0x8 }
}
