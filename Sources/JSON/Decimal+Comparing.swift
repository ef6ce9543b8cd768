// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension Decimal: Comparable, Hashable {
  /// Whether the values are the same, however many zeros they are written with.
  ///
  /// - Parameters:
  ///   - left: One number.
  ///   - right: The other.
  /// - Returns: Whether they are equal.
  public static func == (left: Decimal, right: Decimal) -> Bool { left.reduced == right.reduced }

  /// Whether one value is less than the other, exactly.
  ///
  /// - Parameters:
  ///   - left: One number.
  ///   - right: The other.
  /// - Returns: Whether the first is less.
  public static func < (left: Decimal, right: Decimal) -> Bool {
    let (left, right) = (left.reduced, right.reduced)
    let (leftSign, rightSign) = (left.digits.signum(), right.digits.signum())
    guard leftSign == rightSign, leftSign != 0 else { return leftSign < rightSign }
    return leftSign > 0
      ? left.magnitudeIsLess(than: right) : right.magnitudeIsLess(than: left)
  }

  /// Feeds the value, so that equal numbers have equal hashes.
  ///
  /// - Parameter hasher: Where to.
  public func hash(into hasher: inout Hasher) { hasher.combine(reduced) }

  /// The same value without zeros at its end: one form for each value.
  var reduced: Reduced {
    guard mantissa != 0 else { return Reduced(digits: 0, exponent: 0) }
    var (digits, power) = (mantissa, exponent)
    while digits % 10 == 0 {
      digits /= 10
      power += 1
    }
    return Reduced(digits: digits, exponent: power)
  }

  struct Reduced: Hashable {
    let digits: Int128
    let exponent: Int

    /// Compares by the place of the first digit, then digit for digit.
    func magnitudeIsLess(than other: Reduced) -> Bool {
      let (place, otherPlace) = (leadingPlace, other.leadingPlace)
      guard place == otherPlace else { return place < otherPlace }
      return exponent >= other.exponent
        ? scaled(to: other.exponent).map { $0 < other.digits.magnitude } ?? false
        : other.scaled(to: exponent).map { digits.magnitude < $0 } ?? true
    }

    private var leadingPlace: Int {
      var (rest, count) = (digits.magnitude, 0)
      while rest > 0 {
        rest /= 10
        count += 1
      }
      return exponent + count
    }

    /// The digits as they count at a lower power of ten; nil if that is more than any mantissa.
    private func scaled(to power: Int) -> UInt128? {
      var scaled = digits.magnitude
      for _ in 0..<(exponent - power) {
        let (product, overflow) = scaled.multipliedReportingOverflow(by: 10)
        guard !overflow else { return nil }
        scaled = product
      }
      return scaled
    }
  }
}

extension Int {
  /// The number, if it is a whole one that fits.
  ///
  /// - Parameter decimal: The number, written in whatever way: `1000`, `1000.0` and `1e3` are one.
  public init?(exactly decimal: Decimal) {
    let reduced = decimal.reduced
    guard 0...18 ~= reduced.exponent, var value = Int(exactly: reduced.digits) else { return nil }
    for _ in 0..<reduced.exponent {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      guard !overflow else { return nil }
      value = product
    }
    self = value
  }
}
