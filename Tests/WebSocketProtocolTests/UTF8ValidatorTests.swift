// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import WebSocketProtocol

@Suite("UTF-8 (RFC 6455 section 8.1, RFC 3629)")
struct UTF8ValidatorTests {
  static func isValid(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { UTF8Validator.isValid($0) }
  }

  /// How many bytes are accepted one by one before the first refusal.
  static func accepted(_ bytes: [UInt8]) -> Int {
    var validator = UTF8Validator()
    for (index, byte) in bytes.enumerated() {
      guard [byte].withUnsafeBytes({ validator.consume($0) }) else { return index }
    }
    return bytes.count
  }

  static let valid: [[UInt8]] = [
    [], [0x00], [0x7F], [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0xA0, 0x80], [0xED, 0x9F, 0xBF],
    [0xEE, 0x80, 0x80], [0xEF, 0xBF, 0xBE], [0xEF, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80],
    [0xF4, 0x8F, 0xBF, 0xBF], Array("κόσμε, Hello-µ@ßöäüàá-UTF-8!! 日本 🙂".utf8),
  ]

  /// With the number of bytes after which it shows.
  static let invalid: [([UInt8], Int)] = [
    ([0x80], 0), ([0xBF], 0), ([0xC0, 0xAF], 0), ([0xC1, 0xBF], 0), ([0xC2, 0x20], 1),
    ([0xE0, 0x80, 0xAF], 1), ([0xE0, 0x9F, 0xBF], 1), ([0xED, 0xA0, 0x80], 1),
    ([0xED, 0xBF, 0xBF], 1), ([0xE1, 0x80, 0xC0], 2), ([0xF0, 0x80, 0x80, 0xAF], 1),
    ([0xF0, 0x8F, 0xBF, 0xBF], 1), ([0xF4, 0x90, 0x80, 0x80], 1), ([0xF5], 0), ([0xFE], 0),
    ([0xFF], 0), ([0xF8, 0x88, 0x80, 0x80, 0x80], 0), ([0xF1, 0x80, 0x80, 0x00], 3),
  ]

  @Test("Valid texts, alone and behind ASCII of every length", arguments: valid)
  func accepts(bytes: [UInt8]) {
    for padding in 0..<140 {
      let text = [UInt8](repeating: 0x61, count: padding) + bytes
      #expect(Self.isValid(text))
      #expect(Self.accepted(text) == text.count)
      #expect(Self.isValid(text + [0x61]))
    }
  }

  @Test("Invalid texts are refused at the first byte that shows it", arguments: invalid)
  func refuses(bytes: [UInt8], good: Int) {
    for padding in [0, 1, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128] {
      let text = [UInt8](repeating: 0x61, count: padding) + bytes
      #expect(!Self.isValid(text))
      #expect(Self.accepted(text) == padding + good)
      // What follows, of any length, hides nothing.
      for tail in 1..<20 {
        #expect(!Self.isValid(text + [UInt8](repeating: 0x61, count: tail)), "\(tail) behind")
      }
    }
  }

  @Test("An unfinished character is no text, but may become one")
  func unfinished() {
    for scalar in ["é", "日", "🙂"] {
      let bytes = Array(scalar.utf8)
      for count in 1..<bytes.count {
        #expect(!Self.isValid(Array(bytes.prefix(count))))
        #expect(Self.accepted(Array(bytes.prefix(count))) == count)
      }
    }
  }

  @Test("All texts of two bytes, and of three and four with the bytes where rows of the table end")
  func exhaustive() {
    let edges: [UInt8] = [
      0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC,
      0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ]
    var texts: [[UInt8]] = []
    for a in UInt8.min...UInt8.max {
      for b in UInt8.min...UInt8.max { texts.append([a, b]) }
    }
    for a in edges {
      for b in edges {
        for c in edges {
          texts.append([a, b, c])
          for d in edges where a >= 0xF0 { texts.append([a, b, c, d]) }
        }
      }
    }
    let wrong = texts.filter { Self.isValid($0) != ReferenceParser.isUTF8($0) }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  @Test("Random bytes, cut at random", arguments: 0..<20 as Range<UInt64>)
  func random(seed: UInt64) {
    var random = SeededGenerator(seed)
    let alphabet: [[UInt8]] = [
      [0x41], [0x7F], Array("é".utf8), Array("日".utf8), Array("🙂".utf8), [0x80], [0xE2, 0x82],
    ]
    for _ in 0..<200 {
      let count = Int.random(in: 0..<40, using: &random)
      let isClean = Bool.random(using: &random)
      let text = (0..<count).flatMap { _ in
        alphabet[Int.random(in: 0..<(isClean ? 5 : 7), using: &random)]
      }
      #expect(Self.isValid(text) == ReferenceParser.isUTF8(text))
      var validator = UTF8Validator()
      var start = 0
      var isGood = true
      while start < text.count, isGood {
        let end = min(text.count, start + Int.random(in: 1...9, using: &random))
        isGood = text[start..<end].withUnsafeBytes { validator.consume($0) }
        start = end
      }
      #expect(isGood == ReferenceParser.isPrefixOfUTF8(text))
      #expect((isGood && validator.isAtBoundary) == ReferenceParser.isUTF8(text))
    }
  }
}
