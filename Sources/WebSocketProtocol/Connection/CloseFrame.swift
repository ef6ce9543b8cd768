// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The body of a close frame (RFC 6455 section 5.5.1).
package struct CloseFrame: Equatable, Sendable {
  /// The longest reason: a control frame carries 125 bytes, the code takes two.
  package static let longestReason = 123

  /// The code, or nil where the frame had no body.
  package let code: CloseCode?

  /// The reason, empty where there was none.
  package let reason: String

  package init(code: CloseCode?, reason: String = "") {
    self.code = code
    self.reason = reason
  }

  /// Reads a received body and checks it by sections 5.5.1 and 7.4.
  package init(payload: UnsafeRawBufferPointer) throws(ProtocolError) {
    guard !payload.isEmpty else {
      self.init(code: nil)
      return
    }
    guard payload.count >= 2 else {
      throw ProtocolError(.closePayload, "a close frame with a body of one byte")
    }
    let code = CloseCode(
      rawValue: UInt16(bigEndian: payload.loadUnaligned(as: UInt16.self))
    )
    guard code.isAllowedOnTheWire else {
      throw ProtocolError(.closeCode, "close code \(code), which no frame may carry")
    }
    let reason = UnsafeRawBufferPointer(rebasing: payload.dropFirst(2))
    guard UTF8Validator.isValid(reason) else {
      throw ProtocolError(.invalidUTF8, "a close reason that is not UTF-8")
    }
    self.init(code: code, reason: String(decoding: reason, as: UTF8.self))
  }

  /// The body to send; empty without a code.
  package var payload: [UInt8] {
    guard let code else { return [] }
    return [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)] + Array(reason.utf8)
  }
}
