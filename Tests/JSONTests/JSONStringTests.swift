// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@Suite struct JSONStringTests {
  static func written(_ bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    bytes.withUnsafeBytes { output.appendJSON(string: $0) }
    return output
  }

  /// The same by the book, byte for byte.
  static func reference(_ bytes: [UInt8]) -> [UInt8] {
    var output = [UInt8(ascii: "\"")]
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        output += Array("\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8)
      default: output.append(byte)
      }
    }
    return output + [UInt8(ascii: "\"")]
  }

  @Test func escapesEveryByteAtEveryPlace() {
    for byte in UInt8.min...UInt8.max {
      for place in 0..<17 {
        var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 17)
        bytes[place] = byte
        #expect(Self.written(bytes) == Self.reference(bytes), "\(byte) at \(place)")
      }
    }
  }

  /// Runs and ends of every length, around the 16, 64 and 80 bytes that are looked at together.
  @Test func escapesAtEveryPlaceOfEveryLength() {
    for count in 0...170 {
      let plain = [UInt8](repeating: UInt8(ascii: "a"), count: count)
      #expect(Self.written(plain) == Self.reference(plain))
      for place in 0..<count {
        var bytes = plain
        bytes[place] = place.isMultiple(of: 2) ? UInt8(ascii: "\"") : 0x1F
        #expect(Self.written(bytes) == Self.reference(bytes), "\(place) of \(count)")
      }
    }
  }

  @Test(arguments: 0..<20)
  func escapesAsTheBookSays(seed: UInt64) {
    var random = SplitMix(state: seed)
    let quotes = Array("\"\\\n\u{0}az é".utf8)
    for count in [0, 1, 7, 8, 9, 4095, 4096, 4097, 10_000] {
      let bytes = (0..<count).map { _ in
        Bool.random(using: &random)
          ? quotes.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
      }
      #expect(Self.written(bytes) == Self.reference(bytes))
    }
  }

  @Test(arguments: 0..<50)
  func textComesBack(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let alphabet = Array("a\"\\/\u{0}\u{8}\u{1F}\u{7F}é€𝄞\u{FFFD}\u{10FFFF}\u{2028}")
    let text = String((0..<200).compactMap { _ in alphabet.randomElement(using: &random) })
    let value = JSONValue.string(text)
    #expect(try JSONValue(parsing: value.encoded) == value)
  }

  @Test(
    arguments: [
      ("", ""), ("plain", "plain"), ("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\u{8}\u{C}\n\r\t"),
      ("\\u0041", "A"), ("\\u00e9", "é"), ("\\u20AC", "€"), ("\\uD834\\uDD1E", "𝄞"),
      ("\\ud834\\udd1ex", "𝄞x"), ("\\uDBFF\\uDFFF", "\u{10FFFF}"), ("\\u0000", "\u{0}"),
      ("\\uD834", "\u{FFFD}"), ("\\uDD1E", "\u{FFFD}"), ("\\uD834x", "\u{FFFD}x"),
      ("\\uD834\\n", "\u{FFFD}\n"), ("\\uD834\\u0041", "\u{FFFD}A"),
      ("\\uDD1E\\uD834", "\u{FFFD}\u{FFFD}"), ("\\uD834\\uD834\\uDD1E", "\u{FFFD}𝄞"),
      ("\\", nil), ("\\x", nil), ("\\u", nil), ("\\u123", nil), ("\\u12g4", nil), ("a\\", nil),
    ] as [(String, String?)]
  )
  func undoesEscapes(content: String, text: String?) {
    let result = Array(content.utf8).withUnsafeBytes { JSONString.text($0) }
    #expect(result == text)
  }

  @Test func refusesTextThatIsNotUTF8() {
    #expect([0x99].withUnsafeBytes { JSONString.text($0) } == nil)
    #expect((Array("\\n".utf8) + [0x99]).withUnsafeBytes { JSONString.text($0) } == nil)
  }
}
