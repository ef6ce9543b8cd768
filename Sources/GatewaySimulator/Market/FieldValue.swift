// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The value of a market-data field, printed only when it is sent.
enum FieldValue: Hashable, Sendable {
  /// A price in units of the last digit, with the mark that stands before it, if any.
  case price(Int64, digits: Int, mark: String = "")
  /// A number of shares with thousands commas.
  case size(Int64)
  /// A number of shares shortened to `K`, `M` or `B`.
  case abbreviated(Int64)
  /// An integer as text.
  case digits(Int64)
  /// Hundredths of a percent, printed as a JSON number.
  case percent(Int64)
  /// An integer as Java prints a double.
  case double(Int64)
  /// Text that needs no escape.
  case text(String)

  /// Appends the value as a JSON token.
  func append(to json: inout String) {
    switch self {
    case .price(let units, let digits, let mark):
      json += "\"\(mark)\(Self.decimal(units, digits: digits))\""
    case .size(let shares): json += "\"\(Self.grouped(shares))\""
    case .abbreviated(let shares): json += "\"\(Self.shortened(shares))\""
    case .digits(let number): json += "\"\(number)\""
    case .percent(let hundredths): json += Self.javaDouble(hundredths)
    case .double(let number): json += Self.javaScientific(number)
    case .text(let text): json += "\"\(text)\""
    }
  }

  static func decimal(_ units: Int64, digits: Int) -> String {
    let sign = units < 0 ? "-" : ""
    guard digits > 0 else { return "\(units)" }
    var text = String(units.magnitude)
    if text.utf8.count <= digits {
      text = String(repeating: "0", count: digits + 1 - text.utf8.count) + text
    }
    return "\(sign)\(text.dropLast(digits)).\(text.suffix(digits))"
  }

  private static func grouped(_ number: Int64) -> String {
    let digits = Array(String(number.magnitude))
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// One digit after the point, as in `12.2M`.
  private static func shortened(_ number: Int64) -> String {
    for (unit, letter) in [(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")]
    where number >= unit {
      return decimal(number / Int64(unit / 10), digits: 1) + letter
    }
    return "\(number)"
  }

  /// Units of the last digit without trailing zeros, but always with a digit after the point.
  static func javaDouble(_ units: Int64, digits: Int = 2) -> String {
    var text = decimal(units, digits: digits)
    guard digits > 0 else { return text + ".0" }
    while text.hasSuffix("0"), !text.hasSuffix(".0") { text.removeLast() }
    return text
  }

  /// Java prints a double from 10^7 on with an exponent: `1.22E7`.
  private static func javaScientific(_ number: Int64) -> String {
    guard number >= 10_000_000 else { return "\(number).0" }
    let digits = String(number)
    var fraction = digits.dropFirst()
    while fraction.utf8.count > 1, fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(digits.prefix(1)).\(fraction)E\(digits.utf8.count - 1)"
  }
}
