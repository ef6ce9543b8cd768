// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// An incremental UTF-8 check (RFC 6455 section 8.1, RFC 3629 section 4).
///
/// Text may be cut anywhere, between reads and between fragments, so the state in the middle of a
/// character is carried along. A byte that can belong to no valid text is refused at once, not at the
/// end of its message.
package struct UTF8Validator: Sendable {
  /// How many bytes the current character still needs.
  private var missing: UInt8 = 0

  // What the next continuation byte may be. Only the second byte of a character is ever narrower
  // than 80..BF: it excludes overlong forms, surrogates and what lies beyond U+10FFFF.
  private var lowest: UInt8 = 0x80
  private var highest: UInt8 = 0xBF

  package init() {}

  /// Whether no character is unfinished.
  package var isAtBoundary: Bool { missing == 0 }

  /// Whether these bytes are valid UTF-8 by themselves.
  @inline(__always)
  package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    isASCII(bytes) || isValidBeyondASCII(bytes)
  }

  @inline(never)
  private static func isValidBeyondASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var validator = UTF8Validator()
    return validator.consume(bytes) && validator.isAtBoundary
  }

  /// Whether all of some bytes are ASCII, looking at 64 of them a step.
  ///
  /// Market data is ASCII throughout, and this check is the only work that its bytes cost us beyond
  /// decryption. The last step looks at the last bytes, of which some may have been looked at before.
  @inline(__always)
  private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 64 else { return asciiPrefix(of: bytes, from: 0) == bytes.count }
    var index = 0
    while index &+ 64 < bytes.count {
      guard isASCII(bytes, at: index) else { return false }
      index &+= 64
    }
    return isASCII(bytes, at: bytes.count &- 64)
  }

  /// Whether 64 bytes are ASCII.
  @inline(__always)
  private static func isASCII(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Bool {
    let pairs =
      bytes.loadUnaligned(fromByteOffset: index, as: SIMD2<UInt64>.self)
      | bytes.loadUnaligned(fromByteOffset: index &+ 16, as: SIMD2<UInt64>.self)
      | bytes.loadUnaligned(fromByteOffset: index &+ 32, as: SIMD2<UInt64>.self)
      | bytes.loadUnaligned(fromByteOffset: index &+ 48, as: SIMD2<UInt64>.self)
    return (pairs[0] | pairs[1]) & 0x8080_8080_8080_8080 == 0
  }

  /// Takes the next bytes of a text.
  ///
  /// - Parameter bytes: A piece of any length.
  /// - Returns: False as soon as no continuation could make the text valid; the validator must not be
  ///   used afterwards.
  package mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index < bytes.count {
      if missing == 0 {
        index = Self.asciiPrefix(of: bytes, from: index)
        guard index < bytes.count else { return true }
        guard begin(bytes[index]) else { return false }
      } else {
        guard bytes[index] >= lowest, bytes[index] <= highest else { return false }
        missing -= 1
        lowest = 0x80
        highest = 0xBF
      }
      index += 1
    }
    return true
  }

  /// The leading byte of a character of two to four bytes (the table of RFC 3629 section 4).
  private mutating func begin(_ byte: UInt8) -> Bool {
    switch byte {
    case 0xC2...0xDF: missing = 1
    case 0xE0...0xEF: missing = 2
    case 0xF0...0xF4: missing = 3
    default: return false
    }
    switch byte {
    case 0xE0: lowest = 0xA0
    case 0xED: highest = 0x9F
    case 0xF0: lowest = 0x90
    case 0xF4: highest = 0x8F
    default: break
    }
    return true
  }

  /// The index of the first byte that is not ASCII.
  @inline(__always)
  private static func asciiPrefix(of bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    let high: UInt64 = 0x8080_8080_8080_8080
    var index = start
    while index &+ 64 <= bytes.count, isASCII(bytes, at: index) { index &+= 64 }
    while index &+ 8 <= bytes.count,
      bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & high == 0
    {
      index &+= 8
    }
    // The last ones, fewer than eight, with some that have been looked at before.
    if bytes.count &- index < 8, bytes.count >= 8,
      bytes.loadUnaligned(fromByteOffset: bytes.count &- 8, as: UInt64.self) & high == 0
    {
      return bytes.count
    }
    while index < bytes.count, bytes[index] < 0x80 {
      index &+= 1
    }
    return index
  }
}
