// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Eight bytes at a time: which of a word's bytes matter, as the top bit of each.
///
/// Each sum stays inside its byte, so no carry reaches a neighbour and every mark is exact.
enum ByteScan {
  private static let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F

  /// The word at an offset, its first byte lowest.
  @inline(__always)
  static func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// Marks quotes and backslashes: what ends a run of plain bytes in a string.
  @inline(__always)
  static func stringEnds(_ word: UInt64) -> UInt64 {
    ~(differs(word, 0x2222_2222_2222_2222) & differs(word, 0x5C5C_5C5C_5C5C_5C5C)) & ~low
  }

  /// Marks quotes, backslashes and control characters: what may not stand in a string unescaped
  /// (RFC 8259 §7).
  @inline(__always)
  static func mustEscape(_ word: UInt64) -> UInt64 {
    let notControl = ((word & low) &+ 0x6060_6060_6060_6060) | word
    return stringEnds(word) | (~notControl & ~low)
  }

  /// Sets the top bit of each byte that is not the one of the pattern.
  @inline(__always)
  private static func differs(_ word: UInt64, _ pattern: UInt64) -> UInt64 {
    let difference = word ^ pattern
    return ((difference & low) &+ low) | difference
  }
}
