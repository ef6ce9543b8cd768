// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// Unpredictable bytes from OpenSSL's generator, which the kernel seeds.
package enum SecureRandom {
  /// Returns fresh random bytes.
  ///
  /// - Parameter count: How many; 0 gives an empty array.
  /// - Returns: `count` bytes fit for keys, nonces and masks.
  /// - Throws: `CryptoError` if the generator could not be seeded.
  package static func bytes(count: Int) throws(CryptoError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(0, count))
    try fill(&bytes)
    return bytes
  }

  /// Replaces all of `bytes` with random ones.
  ///
  /// - Parameter bytes: The array to fill; its length stays.
  /// - Throws: `CryptoError` if the generator could not be seeded.
  package static func fill(_ bytes: inout [UInt8]) throws(CryptoError) {
    guard let count = Int32(exactly: bytes.count) else {
      throw CryptoError(.invalidInput, "more than 2 GiB of random bytes asked for")
    }
    ERR_clear_error()
    let status = bytes.withUnsafeMutableBufferPointer { RAND_bytes($0.baseAddress, count) }
    guard status == 1 else { throw .drainingQueue("random bytes") }
  }
}
