// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import JSON

/// A number of a quote, kept as it was printed until somebody wants it otherwise.
///
/// Nearly every price and size is a few digits and perhaps a point, and is written down as it came:
/// reading a number and printing its digits again took 340 instructions a value.
package enum QuoteCell: Sendable {
  /// There is no value, or none was ever sent.
  case none
  /// Digits with at most one point between them, as JSON has it: the first one lowest, and zeros
  /// behind the last.
  case short(UInt64, count: Int, isWhole: Bool)
  /// Any other number.
  case number(Decimal)

  /// The number, if there is one.
  package var decimal: Decimal? {
    switch self {
    case .none: nil
    case .number(let number): number
    case .short(let word, let count, _):
      withUnsafeBytes(of: word.littleEndian) {
        QuoteNumber.plain(UnsafeRawBufferPointer(rebasing: $0[..<count]))
      }
    }
  }

  /// Reads a value of at most eight bytes; nil if it is not digits with at most one point.
  @inline(__always)
  init?(short content: UnsafeRawBufferPointer) {
    let count = content.count
    guard count &- 1 < 8, count > 0, let base = content.baseAddress else { return nil }
    let word = ByteScan.word(base, count: count)
    let marks = ByteScan.notDigits(word) & (.max &>> UInt64(64 &- 8 &* count))
    var whole = count
    if marks != 0 {
      whole = marks.trailingZeroBitCount &>> 3
      guard marks & (marks &- 1) == 0, whole &+ 1 < count,
        UInt8(truncatingIfNeeded: word &>> UInt64(8 &* whole)) == UInt8(ascii: ".")
      else { return nil }
    }
    // As JSON has it: something before the point, and no zero in front.
    guard whole == 1 || whole > 1 && UInt8(truncatingIfNeeded: word) != UInt8(ascii: "0") else {
      return nil
    }
    self = .short(word, count: count, isWhole: marks == 0)
  }
}
