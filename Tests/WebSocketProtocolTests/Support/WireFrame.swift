// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

@testable import WebSocketProtocol

/// A frame spelled out bit by bit, so that tests can send what the encoder never would.
struct WireFrame: Sendable {
  var opcode: UInt8
  var payload: [UInt8] = []
  var fin = true
  var rsv: UInt8 = 0
  /// Bytes of the extended length, nil for as few as needed.
  var lengthBytes: Int?
  /// The length to announce, nil for the true one.
  var announced: UInt64?

  static func text(_ text: String, fin: Bool = true) -> WireFrame {
    WireFrame(opcode: 1, payload: Array(text.utf8), fin: fin)
  }

  static func binary(_ payload: [UInt8], fin: Bool = true) -> WireFrame {
    WireFrame(opcode: 2, payload: payload, fin: fin)
  }

  static func continuation(_ text: String, fin: Bool = true) -> WireFrame {
    WireFrame(opcode: 0, payload: Array(text.utf8), fin: fin)
  }

  static func ping(_ text: String = "") -> WireFrame {
    WireFrame(opcode: 9, payload: Array(text.utf8))
  }

  static func pong(_ text: String = "") -> WireFrame {
    WireFrame(opcode: 10, payload: Array(text.utf8))
  }

  static func close(_ code: UInt16, _ reason: [UInt8] = []) -> WireFrame {
    WireFrame(opcode: 8, payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
  }

  static func close(_ code: UInt16, _ reason: String) -> WireFrame {
    .close(code, Array(reason.utf8))
  }

  static let emptyClose = WireFrame(opcode: 8)

  /// The frame as the peer of `receiver` sends it.
  func bytes(to receiver: Role, key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]) -> [UInt8] {
    bytes(isMasked: receiver == .server, key: key)
  }

  func bytes(isMasked: Bool, key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]) -> [UInt8] {
    var out: [UInt8] = [(fin ? 0x80 : 0) | rsv << 4 | opcode]
    let mask: UInt8 = isMasked ? 0x80 : 0
    let length = announced ?? UInt64(payload.count)
    switch lengthBytes ?? (length < 126 ? 0 : length < 65536 ? 2 : 8) {
    case 0:
      out.append(mask | UInt8(length))
    case 2:
      out.append(mask | 126)
      out += (0..<2).reversed().map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
    default:
      out.append(mask | 127)
      out += (0..<8).reversed().map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
    }
    guard isMasked else { return out + payload }
    return out + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
  }
}

extension [WireFrame] {
  func bytes(to receiver: Role) -> [UInt8] { flatMap { $0.bytes(to: receiver) } }
}
