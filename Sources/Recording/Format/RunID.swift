// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import Crypto

/// The name of a run: a ULID, unique without asking anybody, and sorted by the time it was made.
///
/// 48 bits of Unix time in milliseconds and 80 random bits, as 26 characters of Crockford's base 32
/// (github.com/ulid/spec).
public struct RunID: Sendable, Hashable, CustomStringConvertible {
  /// The 26 characters.
  public let description: String

  /// Makes a name from its parts.
  ///
  /// - Parameters:
  ///   - milliseconds: Unix time; only its low 48 bits are kept, which last until the year 10889.
  ///   - random: The random bits; only the low 80 are kept.
  package init(milliseconds: Int64, random: UInt128) {
    var bits = UInt128(truncatingIfNeeded: milliseconds & 0xFFFF_FFFF_FFFF) << 80
    bits |= random & (1 << 80 - 1)
    let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    let characters = (0..<26).map { alphabet[Int((bits >> (125 - 5 * $0)) & 31)] }
    description = String(decoding: characters, as: UTF8.self)
  }

  /// Makes a fresh name.
  ///
  /// - Parameter realtime: The time now, in nanoseconds since 1970.
  /// - Throws: `CryptoError` if there are no random bytes to be had.
  package init(realtime: Int64) throws(CryptoError) {
    let bytes = try SecureRandom.bytes(count: 10)
    self.init(
      milliseconds: realtime / 1_000_000,
      random: bytes.reduce(0) { $0 << 8 | UInt128($1) }
    )
  }

  /// Reads a name.
  ///
  /// - Parameter text: 26 characters; nil comes of anything else.
  package init?(_ text: some StringProtocol) {
    let isName = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "I"), UInt8(ascii: "L"), UInt8(ascii: "O"), UInt8(ascii: "U"): false
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      default: false
      }
    }
    guard isName, text.utf8.count == 26 else { return nil }
    description = String(text)
  }

  /// Whether some bytes are the name: asked for every line that is read.
  ///
  /// - Parameter bytes: The bytes.
  /// - Returns: Whether they are.
  func isSpelled(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let isSame = description.utf8.withContiguousStorageIfAvailable { name in
      name.count == bytes.count && bytes.elementsMatch(UnsafeRawBufferPointer(name))
    }
    return isSame ?? bytes.elementsEqual(description.utf8)
  }

  /// When the name was made, in milliseconds since 1970.
  package var milliseconds: Int64 {
    let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    return description.utf8.prefix(10).reduce(0) { sum, byte in
      sum << 5 | Int64(alphabet.firstIndex(of: byte) ?? 0)
    }
  }
}
