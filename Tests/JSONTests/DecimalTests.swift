// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@Suite struct DecimalTests {
  @Test(arguments: [
    ("0", "0"), ("-0", "0"), ("7", "7"), ("271.70", "271.70"), ("-0.5", "-0.5"), ("0.00", "0.00"),
    ("64.780", "64.780"), ("1.22E7", "12200000"), ("2.0201311791131118E8", "202013117.91131118"),
    ("1e0", "1"), ("1E+2", "100"), ("5e-3", "0.005"), ("123456e-3", "123.456"), ("0e5", "0"),
    ("100", "100"), ("-12345678901234567890.5", "-12345678901234567890.5"),
    ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
    ("0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
    ("999999999999999999", "999999999999999999"), ("9999999999999999999", "9999999999999999999"),
    ("18446744073709551616", "18446744073709551616"),
    ("0.0000000000000000000001234", "0.0000000000000000000001234"),
  ])
  func keepsDigitsAndPrintsPlainly(text: String, printed: String) throws {
    #expect(try #require(Decimal(text)).description == printed)
  }

  @Test(arguments: [
    "", "-", "+1", ".5", "5.", "01", "00", "-01", "1e", "1e+", "1.2.3", "1,300", " 1", "1 ", "N/A",
    "NaN", "inf", "0x1", "1e401", "1e-401", "1e99999999999999999999", "12.2M", "é",
    "999999999999999999999999999999999999999", "1000000000000000000000000000000000000000",
    "0.9999999999999999999999999999999999999999999",
  ])
  func refusesWhatIsNoNumberOrTooLong(text: String) {
    #expect(Decimal(text) == nil)
  }

  @Test(arguments: [
    ("150", 1, "150.0"), ("150.25", 1, "150.25"), ("-3", 2, "-3.00"), ("1e3", 1, "1000.0"),
    ("0", 1, "0.0"), ("0.5", 3, "0.500"), ("1", 0, "1"), ("1", 99, "1.000000000000000000"),
  ])
  func printsAtLeastSoManyFractionDigits(text: String, digits: Int, printed: String) throws {
    var output: [UInt8] = []
    try #require(Decimal(text)).write(to: &output, minimumFractionDigits: digits)
    #expect(String(decoding: output, as: UTF8.self) == printed)
  }

  @Test func theLongestNumberFitsItsRoom() throws {
    for text in ["-170141183460469231731687303715884105727e400", "-1e-400", "1e400"] {
      var output: [UInt8] = []
      try #require(Decimal(text)).write(to: &output, minimumFractionDigits: 18)
      #expect(output.count <= Decimal.encodedCapacity)
      #expect(output.allSatisfy { $0 == 0x2D || $0 == 0x2E || 0x30...0x39 ~= $0 })
    }
  }

  @Test(arguments: [
    ("1", "1.00", 0), ("1e3", "1000", 0), ("0", "-0.0", 0), ("1", "2", -1), ("-1", "1", -1),
    ("-2", "-1", -1), ("0.1", "0.09", 1), ("1e400", "1e399", 1), ("-1e400", "1e-400", -1),
    ("9.99", "10", -1), ("0", "1e-400", -1), ("0", "-1e-400", 1), ("123.45", "123.451", -1),
    ("99999999999999999999999999999999999999", "1e38", -1),
    ("100000000000000000000000000000000000001", "1e38", 1),
    ("170141183460469231731687303715884105727", "2e38", -1),
    ("2e38", "170141183460469231731687303715884105727", 1),
    ("-2e38", "-170141183460469231731687303715884105727", -1),
  ])
  func comparesValuesAndNotDigits(left: String, right: String, order: Int) throws {
    let (left, right) = (try #require(Decimal(left)), try #require(Decimal(right)))
    #expect((left == right) == (order == 0))
    #expect((left < right) == (order < 0))
    #expect((right < left) == (order > 0))
    if order == 0 { #expect(left.hashValue == right.hashValue) }
  }

  @Test func movesThePoint() throws {
    let value = try #require(Decimal("12.2"))
    #expect(value.multiplied(byPowerOfTen: 6)?.description == "12200000")
    #expect(value.multiplied(byPowerOfTen: -2)?.description == "0.122")
    #expect(value.multiplied(byPowerOfTen: 500) == nil)
    #expect(value.multiplied(byPowerOfTen: .max) == nil)
    #expect(value.multiplied(byPowerOfTen: .min) == nil)
  }

  @Test(
    arguments: [
      ("5", 5), ("-5.0", -5), ("1e3", 1000), ("1.5", nil), ("9223372036854775807", Int.max),
      ("-9223372036854775808", Int.min), ("9223372036854775808", nil),
      ("1e18", 1_000_000_000_000_000_000),
      ("1e19", nil), ("0e400", 0),
    ] as [(String, Int?)]
  )
  func convertsToIntegersExactly(text: String, value: Int?) throws {
    #expect(Int(exactly: try #require(Decimal(text))) == value)
  }

  @Test func convertsToBinaryFractions() throws {
    #expect(try #require(Decimal("271.70")).doubleValue == 271.70)
    #expect(try #require(Decimal("-1e-3")).doubleValue == -0.001)
  }

  @Test(arguments: 0..<300)
  func whatIsPrintedIsReadBack(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let bits = Int.random(in: 0...126, using: &random)
    let mantissa = Int128(truncatingIfNeeded: random.next()) << 64 | Int128(random.next())
    let exponent = Int.random(in: -37...0, using: &random)
    let value = try #require(Decimal(mantissa: mantissa >> (126 - bits), exponent: exponent))
    let again = try #require(Decimal(value.description))
    #expect(again == value)
    #expect(again.description == value.description)
    if value.mantissa != 0 { #expect(again.exponent == value.exponent) }
  }
}
