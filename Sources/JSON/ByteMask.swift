// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Which of some bytes matter, as a bit for each, the first one's lowest.
///
/// The comparisons are of vectors, of 16 bytes because every x86-64 and ARM64 has those.
enum ByteMask {
  /// How many bytes a mask is of.
  static let width = 64

  /// Marks quotes, backslashes and control characters: what may not stand in a string unescaped
  /// (RFC 8259 §7).
  ///
  /// - Parameter base: The first of 64 bytes.
  /// - Returns: Their mask, and whether there are control characters among them.
  @inline(__always)
  static func mustEscape(_ base: UnsafeRawPointer) -> (mask: UInt64, hasControls: Bool) {
    // With their types written out: only then are the comparisons those of the processor.
    let quotes = SIMD16<UInt8>(repeating: UInt8(ascii: "\""))
    let backslashes = SIMD16<UInt8>(repeating: UInt8(ascii: "\\"))
    let spaces = SIMD16<UInt8>(repeating: UInt8(ascii: " "))
    var mask: UInt64 = 0
    var controls = SIMDMask<SIMD16<Int8>>(repeating: false)
    for offset in stride(from: 0, to: width, by: 16) {
      let bytes = vector(base + offset)
      let control = bytes .< spaces
      controls .|= control
      let found = (bytes .== quotes) .| (bytes .== backslashes) .| control
      mask |= bits(of: found) &<< UInt64(offset)
    }
    let any = unsafeBitCast(controls, to: SIMD2<UInt64>.self)
    return (mask, any[0] | any[1] != 0)
  }

  /// Sixteen bytes.
  @inline(__always)
  static func vector(_ base: UnsafeRawPointer) -> SIMD16<UInt8> {
    base.loadUnaligned(as: SIMD16<UInt8>.self)
  }

  /// The 16 bits of a comparison.
  @inline(__always)
  private static func bits(of found: SIMDMask<SIMD16<Int8>>) -> UInt64 {
    let weights = SIMD16<UInt8>(1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128)
    let marks = unsafeBitCast(found, to: SIMD16<UInt8>.self) & weights
    let halves = unsafeBitCast(marks, to: SIMD2<UInt64>.self)
    return sum(halves[0]) | sum(halves[1]) &<< 8
  }

  /// The sum of a word's bytes, which must be below 256.
  @inline(__always)
  private static func sum(_ word: UInt64) -> UInt64 {
    (word &* 0x0101_0101_0101_0101) &>> 56
  }
}
