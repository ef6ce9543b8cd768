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

  /// Whether the number and its half are primes, but for the same chance.
  ///
  /// - Returns: The answer, in the time that it takes to test one of them.
  /// - Throws: `CryptoError` if OpenSSL has no memory.
  package func isProbablySafePrime() throws(CryptoError) -> Bool {
    let half = half
    guard isOdd, bitCount > 3, try half.isProbablyPrime() else { return false }
    // Pocklington's criterion: with a prime q above the root of 2q + 1, that number is prime if
    // 2^2q is 1 modulo it, and 2^2 - 1 has no divisor in common with it.
    let root = try UnsignedInteger(bytes: [2]).raised(to: half, modulo: self)
    let square = try root.raised(to: UnsignedInteger(bytes: [2]), modulo: self)
    let rest = bytes.reduce(0) { (rest: Int, byte) in (rest << 8 | Int(byte)) % 3 }
    return square == UnsignedInteger(bytes: [1]) && rest != 0
  }
}
