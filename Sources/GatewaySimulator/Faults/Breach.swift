// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A frame that RFC 6455 forbids a server to send.
public enum Breach: String, Sendable, Hashable, CaseIterable {
  /// A frame with a masking key (section 5.1).
  case maskedFrame = "masked-frame"
  /// A frame with RSV2 set, which no extension has been given a meaning for (section 5.2).
  case reservedBits = "reserved-bits"
  /// A frame with the opcode 3 (section 5.2).
  case reservedOpcode = "reserved-opcode"
  /// A close frame in two fragments (section 5.5).
  case fragmentedControl = "fragmented-control"
  /// A message of 32 MiB, which is more than the client takes; only its first bytes are sent.
  case tooLong = "too-long"

  /// The bytes of it, and what the ledger says was sent.
  var frame: OddFrame {
    let text = Array(#"{"topic":"system","hb":1}"#.utf8)
    let length = UInt8(text.count)
    switch self {
    case .maskedFrame: return .broken([0x82, 0x80 | length, 0, 0, 0, 0] + text, payload: text)
    case .reservedBits: return .broken([0xA2, length] + text, payload: text)
    case .reservedOpcode: return .broken([0x83, length] + text, payload: text)
    case .fragmentedControl: return .broken([0x08, 0x02, 0x03, 0xE8], payload: [])
    case .tooLong:
      return .broken(
        [0x82, 0x7F, 0, 0, 0, 0, 2, 0, 0, 0] + text,
        payload: Array("the first bytes of a message of 33554432".utf8)
      )
    }
  }
}
