// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Two hexadecimal digits per byte, as RFC 4648 section 8 has it.
package enum Hexadecimal {
  /// Writes bytes as lower-case digits.
  ///
  /// - Parameter bytes: Any bytes.
  /// - Returns: Twice as many digits.
  package static func encode(_ bytes: some Collection<UInt8>) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
      var index = 0
      for byte in bytes {
        buffer[index] = digit(byte >> 4)
        buffer[index + 1] = digit(byte & 15)
        index += 2
      }
      return index
    }
  }

  /// Reads pairs of digits of either case.
  ///
  /// Refuses an odd number of digits; where a protocol leaves leading zeros out, as the
  /// Diffie-Hellman numbers of OAuth 1.0a do, use `UnsignedInteger`.
  ///
  /// - Parameter text: Digits only: no prefix, no white space.
  /// - Returns: Half as many bytes.
  /// - Throws: `CryptoError` with `invalidEncoding`.
  package static func decode(_ text: some StringProtocol) throws(CryptoError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 2)
    var high: UInt8?
    for character in text.utf8 {
      guard let value = value(of: character) else {
        throw CryptoError(.invalidEncoding, "not hexadecimal: a character that is not a digit")
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    guard high == nil else {
      throw CryptoError(.invalidEncoding, "not hexadecimal: an odd number of digits")
    }
    return bytes
  }

  private static func digit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? 0x30 + nibble : 0x61 - 10 + nibble
  }

  static func value(of character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x41...0x46: character - 0x41 + 10
    case 0x61...0x66: character - 0x61 + 10
    default: nil
    }
  }
}
