// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How a message travelled: in which WebSocket frame (the opcode, RFC 6455 section 5.2), or as the
/// answer to a question that the client has asked by REST beside a feed.
///
/// Opcodes have four bits, so the values from 16 on are none.
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
  /// An answer by REST to the slow polling beside `sor`, which cannot be relied on alone.
  case poll = 16
  /// An answer by REST to the question, after a gap, what the feed may have missed.
  case resync = 17
  /// An answer by REST to the question for the bars of a gap; ``Message/backfill`` says of which.
  case backfill = 18

  /// Whether it came by REST and not through the socket.
  public var isREST: Bool { self == .poll || self == .resync || self == .backfill }
}

/// Which way a message went.
public enum Direction: UInt8, Sendable, Hashable {
  /// From the server to us.
  case inbound
  /// From us to the server.
  case outbound
}
