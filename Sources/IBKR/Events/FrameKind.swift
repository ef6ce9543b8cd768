// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How a message travelled: the opcode of its WebSocket frame (RFC 6455 section 5.2).
public enum FrameKind: UInt8, Sendable, Hashable {
  /// A text message.
  case text = 1
  /// A binary message. The gateway sends its JSON in these.
  case binary = 2
  /// A close frame: two bytes of code, then the reason.
  case close = 8
  /// A ping and its application data.
  case ping = 9
  /// A pong and its application data.
  case pong = 10
}

/// Which way a message went.
public enum Direction: UInt8, Sendable, Hashable {
  /// From the server to us.
  case inbound
  /// From us to the server.
  case outbound
}
