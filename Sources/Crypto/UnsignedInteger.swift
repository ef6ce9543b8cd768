// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// A non-negative integer of any size, for Diffie-Hellman.
package struct UnsignedInteger: Sendable, Hashable {
  /// The big-endian bytes without leading zeros; none for zero.
  package let bytes: [UInt8]

  /// Takes a big-endian number; leading zeros are allowed.
  ///
  /// - Parameter bytes: The number's bytes.
  package init(bytes: some Collection<UInt8>) {
    self.bytes = Array(bytes.drop { $0 == 0 })
  }

  /// Reads hexadecimal digits of either case, any number of them but at least one.
  ///
  /// - Parameter hexadecimal: Digits only; leading zeros are allowed.
  /// - Throws: `CryptoError` with `invalidEncoding`.
  package init(hexadecimal: some StringProtocol) throws(CryptoError) {
    guard !hexadecimal.isEmpty else {
      throw CryptoError(.invalidEncoding, "not hexadecimal: no digits")
    }
    let isOdd = !hexadecimal.utf8.count.isMultiple(of: 2)
    self.init(bytes: try Hexadecimal.decode((isOdd ? "0" : "") + hexadecimal))
  }

  /// The lower-case hexadecimal digits without leading zeros, `0` for zero.
  package var hexadecimal: String {
    let digits = Hexadecimal.encode(bytes).drop { $0 == "0" }
    return digits.isEmpty ? "0" : String(digits)
  }

  /// The position of the highest set bit, counted from 1; zero for zero.
  package var bitCount: Int {
    bytes.first.map { bytes.count * 8 - $0.leadingZeroBitCount } ?? 0
  }

  /// The two's complement bytes as Java's `BigInteger.toByteArray` gives them.
  ///
  /// A zero byte stands in front where the highest bit would otherwise make the number negative;
  /// zero is one zero byte. The length is never padded.
  package var twosComplementBytes: [UInt8] {
    bitCount.isMultiple(of: 8) ? [0] + bytes : bytes
  }

  /// Raises to a power modulo an odd number, in a time that does not depend on the exponent's bits.
  ///
  /// - Parameters:
  ///   - exponent: The exponent, a secret.
  ///   - modulus: An odd number above one.
  /// - Returns: A number below `modulus`.
  /// - Throws: `CryptoError` with `invalidInput` for another modulus, or if OpenSSL has no memory.
  package func raised(
    to exponent: UnsignedInteger,
    modulo modulus: UnsignedInteger
  ) throws(CryptoError) -> UnsignedInteger {
    guard let last = modulus.bytes.last, last & 1 == 1, modulus.bitCount > 1 else {
      throw CryptoError(.invalidInput, "the modulus is not an odd number above one")
    }
    ERR_clear_error()
    let context = BN_CTX_secure_new()
    let base = BN_bin2bn(bytes, Int32(clamping: bytes.count), nil)
    let power = BN_bin2bn(exponent.bytes, Int32(clamping: exponent.bytes.count), nil)
    let divisor = BN_bin2bn(modulus.bytes, Int32(clamping: modulus.bytes.count), nil)
    let result = BN_new()
    defer {
      BN_clear_free(base)
      BN_clear_free(power)
      BN_free(divisor)
      BN_clear_free(result)
      BN_CTX_free(context)
    }
    guard base != nil, power != nil, divisor != nil, result != nil else {
      throw .drainingQueue("modular exponentiation")
    }
    BN_set_flags(power, BN_FLG_CONSTTIME)
    guard BN_mod_exp(result, base, power, divisor, context) == 1 else {
      throw .drainingQueue("modular exponentiation")
    }
    var bytes = [UInt8](repeating: 0, count: modulus.bytes.count)
    defer { SecureMemory.wipe(&bytes) }
    guard BN_bn2binpad(result, &bytes, Int32(clamping: bytes.count)) >= 0 else {
      throw .drainingQueue("modular exponentiation")
    }
    return UnsignedInteger(bytes: bytes)
  }
}

extension UnsignedInteger: Comparable {
  /// Compares by value.
  package static func < (first: UnsignedInteger, second: UnsignedInteger) -> Bool {
    first.bytes.count == second.bytes.count
      ? first.bytes.lexicographicallyPrecedes(second.bytes)
      : first.bytes.count < second.bytes.count
  }
}
