// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Eight bytes at a time: which of a word's bytes matter, as the top bit of each.
///
/// Each sum stays inside its byte, so no carry reaches a neighbour and every mark is exact.
@usableFromInline
package enum ByteScan {
  @inlinable static var low: UInt64 { 0x7F7F_7F7F_7F7F_7F7F }

  /// The word at an offset, its first byte lowest.
  @inlinable
  @inline(__always)
  static func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// At most eight bytes as a word, the first one lowest and zeros behind the last.
  ///
  /// Nothing beyond them is read, and none of them alone: the two loads may overlap.
  @inlinable
  @inline(__always)
  package static func word(_ base: UnsafeRawPointer, count: Int) -> UInt64 {
    if count >= 4 {
      let first = UInt32(littleEndian: base.loadUnaligned(as: UInt32.self))
      let last = UInt32(
        littleEndian: base.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
      )
      return UInt64(first) | UInt64(last) &<< UInt64(8 &* (count &- 4))
    }
    if count == 0 { return 0 }
    let middle = count &>> 1
    return UInt64(base.load(as: UInt8.self))
      | UInt64(base.load(fromByteOffset: middle, as: UInt8.self)) &<< UInt64(8 &* middle)
      | UInt64(base.load(fromByteOffset: count &- 1, as: UInt8.self)) &<< UInt64(8 &* (count &- 1))
  }

  /// Marks quotes and backslashes: what ends a run of plain bytes in a string.
  @inlinable
  @inline(__always)
  static func stringEnds(_ word: UInt64) -> UInt64 {
    ~(differs(word, 0x2222_2222_2222_2222) & differs(word, 0x5C5C_5C5C_5C5C_5C5C)) & ~low
  }

  /// Marks quotes, backslashes and control characters: what may not stand in a string unescaped
  /// (RFC 8259 §7).
  @inlinable
  @inline(__always)
  static func mustEscape(_ word: UInt64) -> UInt64 {
    let notControl = ((word & low) &+ 0x6060_6060_6060_6060) | word
    return stringEnds(word) | (~notControl & ~low)
  }

  /// Marks all bytes but the digits.
  @inlinable
  @inline(__always)
  package static func notDigits(_ word: UInt64) -> UInt64 {
    let rest = word ^ 0x3030_3030_3030_3030
    return (((rest & low) &+ 0x7676_7676_7676_7676) | rest) & ~low
  }

  /// Marks all bytes but the digits and points.
  @inlinable
  @inline(__always)
  static func notOfNumber(_ word: UInt64) -> UInt64 {
    notDigits(word) & differs(word, 0x2E2E_2E2E_2E2E_2E2E)
  }

  /// Sets the top bit of each byte that is not the one of the pattern.
  @inlinable
  @inline(__always)
  static func differs(_ word: UInt64, _ pattern: UInt64) -> UInt64 {
    let difference = word ^ pattern
    return ((difference & low) &+ low) | difference
  }
}
