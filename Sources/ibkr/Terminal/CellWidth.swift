// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How many cells of a terminal texts take.
///
/// The C library's `wcwidth` answers by the locale of the process, which is `C` in services and
/// containers; terminals draw by Unicode all the same.
enum CellWidth {
  /// The cells of a text.
  static func of(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + of($1) }
  }

  /// The cells of a character: 0, 1 or 2.
  static func of(_ character: Character) -> Int {
    guard let first = character.unicodeScalars.first else { return 0 }
    // A sign that is a picture only because the selector says so.
    let isPicture = character.unicodeScalars.contains("\u{FE0F}")
    return isPicture ? 2 : of(first)
  }

  /// As much of a text as fits into some cells.
  static func prefix(of text: String, _ cells: Int) -> String {
    guard of(text) > cells else { return text }
    var left = cells
    return String(
      text.prefix { character in
        left -= of(character)
        return left >= 0
      }
    )
  }

  private static func of(_ scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return scalar.value < 0x20 || 0x7F..<0xA0 ~= scalar.value ? 0 : 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    return wide.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  /// What is wide or full-width in Unicode's EastAsianWidth.txt, in whole blocks.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x23E9...0x23EC, 0x25FD...0x25FE,
    0x2614...0x2615, 0x26AA...0x26AB, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF,
    0x4E00...0x9FFF, 0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
    0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
    0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
  ]
}
