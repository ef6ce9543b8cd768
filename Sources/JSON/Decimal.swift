// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// An exact decimal number that keeps its digits: `271.70` stays `271.70`.
///
/// A mantissa of 128 bits holds every number of up to 38 digits; one with more is refused and
/// never rounded. Numbers are equal if their values are: `1.0 == 1.00`, though they print as they
/// were written.
public struct Decimal: Sendable {
  /// All digits, without the point.
  public let mantissa: Int128

  /// The power of ten by which they count.
  public let exponent: Int

  /// The exponents that are taken, so that no number prints as a gigabyte of zeros.
  public static let exponents = -400...400

  /// A whole number.
  ///
  /// - Parameter value: Its value.
  public init(_ value: Int64) {
    mantissa = Int128(value)
    exponent = 0
  }

  /// `mantissa` times ten to the power of `exponent`.
  ///
  /// - Parameters:
  ///   - mantissa: All digits.
  ///   - exponent: The power of ten; out of ``exponents`` there is no number.
  public init?(mantissa: Int128, exponent: Int) {
    guard Self.exponents.contains(exponent) else { return nil }
    self.mantissa = mantissa
    self.exponent = exponent
  }

  /// The number moved by so many places: 3 turns `12.2` into `12200`.
  ///
  /// - Parameter power: The power of ten to multiply with.
  /// - Returns: nil if the exponent leaves ``exponents``.
  public func multiplied(byPowerOfTen power: Int) -> Decimal? {
    let (sum, overflow) = exponent.addingReportingOverflow(power)
    return overflow ? nil : Decimal(mantissa: mantissa, exponent: sum)
  }
}

extension Decimal {
  /// Reads a number as JSON writes it (RFC 8259 §6), exponent included.
  ///
  /// There is no number for anything else, nor for what cannot be held exactly.
  ///
  /// - Parameter bytes: The number and nothing else.
  package init?(_ bytes: UnsafeRawBufferPointer) {
    var reader = Reader(bytes: bytes)
    guard let decimal = reader.read() else { return nil }
    self = decimal
  }

  /// Reads a number as JSON writes it (RFC 8259 §6), exponent included.
  ///
  /// There is no number for anything else, nor for what cannot be held exactly.
  ///
  /// - Parameter text: The number and nothing else.
  public init?(_ text: some StringProtocol) {
    var text = String(text)
    guard let value = text.withUTF8({ Decimal(UnsafeRawBufferPointer($0)) }) else { return nil }
    self = value
  }

  private struct Reader {
    let bytes: UnsafeRawBufferPointer
    var index = 0
    // Eighteen digits fit into 64 bits, and few prices have more.
    var short: Int64 = 0
    var long: Int128 = 0
    var digits = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func read() -> Decimal? {
      let isNegative = take(UInt8(ascii: "-"))
      let startsWithZero = index < bytes.count && bytes[index] == UInt8(ascii: "0")
      guard let whole = takeDigits(), whole == 1 || whole > 1 && !startsWithZero else { return nil }
      var fraction = 0
      if take(UInt8(ascii: ".")) {
        guard let count = takeDigits(), count > 0 else { return nil }
        fraction = count
      }
      guard let power = takeExponent(), index == bytes.count else { return nil }
      let magnitude = digits <= 18 ? Int128(short) : long
      return Decimal(mantissa: isNegative ? -magnitude : magnitude, exponent: power - fraction)
    }

    private mutating func take(_ byte: UInt8) -> Bool {
      guard index < bytes.count, bytes[index] == byte else { return false }
      index += 1
      return true
    }

    /// Adds the digits that stand here; returns how many, or nil if they are too many to hold.
    private mutating func takeDigits() -> Int? {
      let start = index
      while index < bytes.count {
        let digit = bytes[index] &- UInt8(ascii: "0")
        guard digit <= 9 else { break }
        if digits < 18 {
          short = short &* 10 &+ Int64(digit)
        } else {
          if digits == 18 { long = Int128(short) }
          let (shifted, overflow) = long.multipliedReportingOverflow(by: 10)
          let (sum, carried) = shifted.addingReportingOverflow(Int128(digit))
          guard !overflow, !carried else { return nil }
          long = sum
        }
        // Zeros in front count for nothing.
        if digits > 0 || digit > 0 { digits += 1 }
        index += 1
      }
      return index - start
    }

    /// Zero without an exponent; nil for a malformed or an absurd one.
    private mutating func takeExponent() -> Int? {
      guard index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") else { return 0 }
      index += 1
      let isNegative = take(UInt8(ascii: "-"))
      if !isNegative { _ = take(UInt8(ascii: "+")) }
      let start = index
      var value = 0
      while index < bytes.count, bytes[index] &- UInt8(ascii: "0") <= 9 {
        value = min(value * 10 + Int(bytes[index] - UInt8(ascii: "0")), 100_000)
        index += 1
      }
      guard index > start, value < 100_000 else { return nil }
      return isNegative ? -value : value
    }
  }
}
