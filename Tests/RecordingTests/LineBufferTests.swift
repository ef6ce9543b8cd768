// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Recording

@Suite struct LineBufferTests {
  @Test(arguments: [
    Int64.min, -100, -1, 0, 9, 10, 99, 100, 9_999, 10_000, 1_780_000_000_123_456_789, .max,
  ])
  func integers(_ number: Int64) {
    var lines = LineBuffer()
    lines.append(number)
    #expect(text(lines) == String(number))
  }

  @Test func everyPowerOfTenAndItsNeighbours() {
    var power: UInt64 = 1
    for _ in 0..<20 {
      for number in [power - 1, power, power + 1] {
        var lines = LineBuffer()
        lines.append(number)
        #expect(text(lines) == String(number))
      }
      power = power.multipliedReportingOverflow(by: 10).partialValue
    }
    var lines = LineBuffer()
    lines.append(UInt64.max)
    #expect(text(lines) == String(UInt64.max))
  }

  /// All four digits in both halves of a word, and words of which others stand before and behind.
  @Test func everyWordOfDigits() {
    for four in UInt64(0)..<10_000 {
      let number = four * 10_000 + (9_999 - four)
      for number in [four, number, number * 100_000_000 + number, .max - number] {
        var lines = LineBuffer()
        lines.append(number)
        #expect(text(lines) == String(number))
      }
    }
  }

  @Test func everyByteIsEscapedAsJSONAsks() {
    for byte in UInt8(0)..<128 {
      let expected =
        switch byte {
        case 0x22: "\\\""
        case 0x5C: "\\\\"
        case 0..<16: "\\u000" + String(byte, radix: 16)
        case 16..<32: "\\u00" + String(byte, radix: 16)
        default: String(UnicodeScalar(byte))
        }
      // At every place of a word, so that the word-wise and the byte-wise way both meet it.
      for place in 0..<20 {
        let before = String(repeating: "é", count: place / 2) + (place % 2 == 0 ? "" : "#")
        var lines = LineBuffer()
        lines.append(string: before + String(UnicodeScalar(byte)) + "]")
        #expect(text(lines) == "\"\(before)\(expected)]\"")
      }
    }
  }

  @Test func randomBytesSurviveEscaping() {
    var random = SeededRandom(seed: 7)
    let pool: [UInt8] = [0x22, 0x5C, 0x0A, 0x23, 0x5D, 0x20, 0x1F, 0x7F, 0x80, 0xFF, 0x61, 0x7B]
    for _ in 0..<2_000 {
      let count = Int.random(in: 0..<70, using: &random)
      let bytes = (0..<count).map { _ in pool[Int.random(in: 0..<pool.count, using: &random)] }
      var lines = LineBuffer(capacity: 1)
      bytes.withUnsafeBytes { lines.append(string: $0) }
      let written = lines.withBytes { Array($0) }
      #expect(unescaped(written) == bytes)
    }
  }

  @Test func longStringsPassInPieces() {
    let bytes = [UInt8](repeating: 0x22, count: 50_000)
    var lines = LineBuffer()
    bytes.withUnsafeBytes { lines.append(string: $0) }
    let count = lines.count
    #expect(count == 100_002)
    lines.removeAll(keeping: 1_000)
    lines.append("x")
    #expect(text(lines) == "x")
  }

  private func text(_ lines: borrowing LineBuffer) -> String {
    lines.withBytes { String(decoding: $0, as: UTF8.self) }
  }

  /// Undoes the escapes, one byte at a time.
  private func unescaped(_ string: [UInt8]) -> [UInt8]? {
    guard string.first == 0x22, string.last == 0x22, string.count >= 2 else { return nil }
    var bytes: [UInt8] = []
    var index = 1
    while index < string.count - 1 {
      guard string[index] == 0x5C else {
        if string[index] < 0x20 || string[index] == 0x22 { return nil }
        bytes.append(string[index])
        index += 1
        continue
      }
      if string[index + 1] == 0x75 {
        let digits = String(decoding: string[(index + 2)..<(index + 6)], as: UTF8.self)
        guard let byte = UInt8(digits, radix: 16) else { return nil }
        bytes.append(byte)
        index += 6
      } else {
        bytes.append(string[index + 1])
        index += 2
      }
    }
    return bytes
  }
}
