// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Strings in and out of JSON (RFC 8259 §7).
package enum JSONString {
  /// How many bytes ``escape(_:into:)`` may store for so many bytes of text.
  ///
  /// - Parameter count: The text's length in bytes.
  /// - Returns: Six for each, and one word in which the last step may write.
  package static func escapedCapacity(for count: Int) -> Int { 6 * count + 8 }

  /// Escapes quotes, backslashes and control characters, and nothing else.
  ///
  /// The quotes around the string are not stored. Eight bytes are looked at together: a word is
  /// stored as it is; then, for each byte that must be escaped, the escape is stored over it and
  /// the rest of the word behind that.
  ///
  /// - Parameters:
  ///   - source: The text's bytes.
  ///   - room: At least ``escapedCapacity(for:)`` bytes.
  /// - Returns: How many bytes were stored.
  package static func escape(
    _ source: UnsafeRawBufferPointer,
    into room: UnsafeMutableRawPointer
  ) -> Int {
    guard let start = source.baseAddress else { return 0 }
    var output = room
    var index = 0
    while source.count &- index >= 8 {
      var word = ByteScan.word(start, index)
      var marks = ByteScan.mustEscape(word)
      index &+= 8
      output.storeBytes(of: word.littleEndian, as: UInt64.self)
      var left = 8
      while marks != 0 {
        let plain = marks.trailingZeroBitCount &>> 3
        let bits = UInt64(truncatingIfNeeded: plain &<< 3)
        output += plain
        word &>>= bits
        output += escape(UInt8(truncatingIfNeeded: word), into: output)
        word &>>= 8
        output.storeBytes(of: word.littleEndian, as: UInt64.self)
        left &-= plain &+ 1
        marks = (marks &>> bits) &>> 8
      }
      output += left
    }
    while index < source.count {
      output += escape(start.load(fromByteOffset: index, as: UInt8.self), into: output)
      index &+= 1
    }
    return output - room
  }

  /// Stores one byte, escaped if it must be; returns how many bytes that took.
  private static func escape(_ byte: UInt8, into output: UnsafeMutableRawPointer) -> Int {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      output.storeBytes(of: UInt8(ascii: "\\"), as: UInt8.self)
      output.storeBytes(of: byte, toByteOffset: 1, as: UInt8.self)
      return 2
    case 0x20...:
      output.storeBytes(of: byte, as: UInt8.self)
      return 1
    default:
      let digits: StaticString = "0123456789abcdef"
      output.copyMemory(from: ("\\u00" as StaticString).utf8Start, byteCount: 4)
      output.storeBytes(of: digits.utf8Start[Int(byte >> 4)], toByteOffset: 4, as: UInt8.self)
      output.storeBytes(of: digits.utf8Start[Int(byte & 15)], toByteOffset: 5, as: UInt8.self)
      return 6
    }
  }
}

extension JSONString {
  /// Undoes the escapes of a string.
  ///
  /// A surrogate without its partner stands for no character; it becomes U+FFFD, as in every
  /// decoder that gives out valid Unicode (RFC 8259 §8.2 leaves it open).
  ///
  /// - Parameter content: The bytes between the quotes.
  /// - Returns: The text, or nil if an escape is malformed or the bytes are not UTF-8.
  package static func text(_ content: UnsafeRawBufferPointer) -> String? {
    guard content.contains(UInt8(ascii: "\\")) else {
      return String(validating: content, as: UTF8.self)
    }
    var output: [UInt8] = []
    output.reserveCapacity(content.count)
    var index = 0
    while index < content.count {
      guard content[index] == UInt8(ascii: "\\") else {
        output.append(content[index])
        index += 1
        continue
      }
      guard index + 1 < content.count else { return nil }
      if let byte = unescaped(content[index + 1]) {
        output.append(byte)
        index += 2
      } else {
        guard let scalar = scalar(content, &index) else { return nil }
        output.append(contentsOf: String(scalar).utf8)
      }
    }
    return String(validating: output, as: UTF8.self)
  }

  /// The byte that a two-character escape stands for, by its second character.
  static func unescaped(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): byte
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
  }

  /// The number that four hexadecimal digits stand for.
  static func codeUnit(_ digits: UnsafeRawBufferPointer) -> UInt16? {
    var value: UInt16 = 0
    for byte in digits {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: return nil
      }
      value = value << 4 | UInt16(digit)
    }
    return value
  }

  /// Reads `\uXXXX`, or two of them that make a pair; nil if that is not what stands there.
  static func scalar(
    _ content: UnsafeRawBufferPointer,
    _ index: inout Int
  ) -> Unicode.Scalar? {
    guard let first = codeUnit(content, at: index) else { return nil }
    index += 6
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard UTF16.isLeadSurrogate(first), let second = codeUnit(content, at: index),
      UTF16.isTrailSurrogate(second)
    else { return "\u{FFFD}" }
    index += 6
    let pair = UInt32(first & 0x3FF) << 10 | UInt32(second & 0x3FF)
    return Unicode.Scalar(0x10000 + pair)
  }

  private static func codeUnit(_ content: UnsafeRawBufferPointer, at index: Int) -> UInt16? {
    guard index + 6 <= content.count, content[index] == UInt8(ascii: "\\"),
      content[index + 1] == UInt8(ascii: "u")
    else { return nil }
    return codeUnit(UnsafeRawBufferPointer(rebasing: content[(index + 2)..<(index + 6)]))
  }
}
