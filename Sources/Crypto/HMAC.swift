// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// Keyed message authentication, RFC 2104.
package enum HMAC {
  /// Authenticates a message.
  ///
  /// - Parameters:
  ///   - message: The bytes to authenticate.
  ///   - key: Any length, zero included; a key longer than the hash's block is hashed first.
  ///   - algorithm: The hash function underneath.
  /// - Returns: `algorithm.byteCount` bytes.
  /// - Throws: `CryptoError` if OpenSSL fails.
  package static func authenticate(
    _ message: [UInt8],
    key: [UInt8],
    _ algorithm: DigestAlgorithm
  ) throws(CryptoError) -> [UInt8] {
    ERR_clear_error()
    var code = [UInt8](repeating: 0, count: algorithm.byteCount)
    var length = 0
    // A nil key would mean "keep the context's key", so an empty one still needs an address.
    let padded = key.isEmpty ? [0] : key
    let result = EVP_Q_mac(
      nil,
      "HMAC",
      nil,
      algorithm.name,
      nil,
      padded,
      key.count,
      message,
      message.count,
      &code,
      code.count,
      &length
    )
    guard result != nil, length == code.count else {
      throw .drainingQueue("HMAC with \(algorithm.name)")
    }
    return code
  }
}
