// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// `Sec-WebSocket-Key` and what answers it (RFC 6455 section 1.3).
enum HandshakeKey {
  static let field = "Sec-WebSocket-Key"
  static let acceptField = "Sec-WebSocket-Accept"

  /// How many random bytes a key encodes (section 4.1, point 7).
  static let length = 16

  private static let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

  /// The only right `Sec-WebSocket-Accept` (section 4.2.2, point 5.4).
  static func accept(for key: String) throws(HandshakeError) -> String {
    do throws(CryptoError) {
      return Base64.encode(try Digest.of(Array((key + guid).utf8), .sha1))
    } catch {
      throw HandshakeError(.cryptography, "SHA-1 failed: \(error)")
    }
  }

  /// Whether a client's key is one (section 4.2.1, point 5).
  static func isValid(_ key: String) -> Bool {
    (try? Base64.decode(key))?.count == length
  }
}
