// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What a frame carries (RFC 6455 section 5.2; the registry is in section 11.8).
///
/// Reserved opcodes have no case: a frame with one of them fails the connection.
package enum Opcode: UInt8, Sendable {
  case continuation = 0x0
  case text = 0x1
  case binary = 0x2
  case close = 0x8
  case ping = 0x9
  case pong = 0xA

  /// Whether this is a control frame (section 5.5): the highest bit of the opcode is set.
  package var isControl: Bool { rawValue & 0x8 != 0 }
}
