// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Whole numbers as text that is short for small ones: base64 digits of five bits each, the lowest
/// first, the sixth bit says that another follows (as in source maps).
///
/// The text needs no escaping, neither in JSON nor in HTML.
struct PackedNumbers {
  private(set) var text: [UInt8] = []

  private static let digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
  )

  /// Appends a number that is not negative.
  mutating func append(_ number: Int64) {
    var rest = UInt64(max(0, number))
    repeat {
      let digit = Int(rest & 31)
      rest >>= 5
      text.append(Self.digits[rest > 0 ? digit | 32 : digit])
    } while rest > 0
  }

  /// Appends a number of either sign: 0, -1, 1, -2 … count as 0, 1, 2, 3.
  mutating func append(signed number: Int64) {
    append(number < 0 ? -2 * number - 1 : 2 * number)
  }
}
