// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

extension UnsignedInteger {
  /// Whether the number is odd.
  package var isOdd: Bool { bytes.last.map { $0 & 1 == 1 } ?? false }

  /// Half of the number, rounded down.
  package var half: UnsignedInteger {
    var carry: UInt8 = 0
    return UnsignedInteger(
      bytes: bytes.map { byte in
        defer { carry = byte << 7 }
        return byte >> 1 | carry
      }
    )
  }

  /// Whether the number is a prime, but for a chance of less than 1 in 2^128.
  ///
  /// - Returns: The answer; a number of 2048 bits takes some tenths of a second.
  /// - Throws: `CryptoError` if OpenSSL has no memory.
  package func isProbablyPrime() throws(CryptoError) -> Bool {
    ERR_clear_error()
    let context = BN_CTX_new()
    let number = BN_bin2bn(bytes, Int32(clamping: bytes.count), nil)
    defer {
      BN_free(number)
      BN_CTX_free(context)
    }
    let answer = BN_check_prime(number, context, nil)
    guard answer >= 0 else { throw .drainingQueue("test of a prime") }
    return answer == 1
  }
}
