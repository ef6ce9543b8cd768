// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Strings in and out of JSON (RFC 8259 §7).
package enum JSONString {
  /// How many bytes ``escape(_:into:)`` may store for so many bytes of text.
  ///
  /// - Parameter count: The text's length in bytes.
  /// - Returns: Six for each, and one vector in which the last step may write.
  package static func escapedCapacity(for count: Int) -> Int { 6 * count + 16 }

  /// Escapes quotes, backslashes and control characters, and nothing else.
  ///
  /// The quotes around the string are not stored. What lies between two marked bytes is copied by 16
  /// bytes, which nearly always is one step: in a quote of IBKR's a run has four bytes on average. So
  /// this takes 1,950 instructions for 290 bytes of it; going from mark to mark in words took 3,050.
  ///
  /// - Parameters:
  ///   - source: The text's bytes.
  ///   - room: At least ``escapedCapacity(for:)`` bytes.
  /// - Returns: How many bytes were stored.
  package static func escape(
    _ source: UnsafeRawBufferPointer,
    into room: UnsafeMutableRawPointer
  ) -> Int {
    guard var start = source.baseAddress else { return 0 }
    var left = source.count
    var output = room
    // A run is read with up to 16 bytes of what follows it.
    while left >= ByteMask.width + 16 {
      output = escape(start, ByteMask.mustEscape(start), ByteMask.width, into: output)
      start += ByteMask.width
      left &-= ByteMask.width
    }
    // Nothing follows the last bytes: they are escaped in a copy that has room behind.
    // Filled with what needs no escape.
    var copy = (SIMD64<UInt8>(repeating: 0x20), SIMD16<UInt8>.zero)
    withUnsafeMutableBytes(of: &copy) { copy in
      while left > 0 {
        let count = min(left, ByteMask.width)
        copy.copyMemory(from: UnsafeRawBufferPointer(start: start, count: count))
        guard let base = UnsafeRawPointer(copy.baseAddress) else { return }
        var marks = ByteMask.mustEscape(base)
        marks.mask &= UInt64.max &>> UInt64(ByteMask.width &- count)
        output = escape(base, marks, count, into: output)
        start += count
        left &-= count
      }
    }
    return output - room
  }

  /// Escapes the marked ones of some bytes; returns where the next ones go.
  @inline(__always)
  private static func escape(
    _ source: UnsafeRawPointer,
    _ marks: (mask: UInt64, hasControls: Bool),
    _ count: Int,
    into room: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    if marks.hasControls { return escapeAll(source, marks.mask, count, into: room) }
    var (mask, start, output) = (marks.mask, 0, room)
    while mask != 0 {
      let mark = mask.trailingZeroBitCount
      mask &= mask &- 1
      output = copy(source + start, mark &- start, to: output)
      output.storeBytes(of: UInt8(ascii: "\\"), as: UInt8.self)
      output += 1
      // The byte itself begins the next run.
      start = mark
    }
    return copy(source + start, count &- start, to: output)
  }

  /// The same where control characters are among them.
  private static func escapeAll(
    _ source: UnsafeRawPointer,
    _ mask: UInt64,
    _ count: Int,
    into room: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    var (mask, start, output) = (mask, 0, room)
    while mask != 0 {
      let mark = mask.trailingZeroBitCount
      mask &= mask &- 1
      output = copy(source + start, mark &- start, to: output)
      let byte = source.load(fromByteOffset: mark, as: UInt8.self)
      if byte >= 0x20 {
        output.storeBytes(of: UInt8(ascii: "\\"), as: UInt8.self)
        output += 1
        start = mark
      } else {
        output = escape(control: byte, into: output)
        start = mark &+ 1
      }
    }
    return copy(source + start, count &- start, to: output)
  }

  /// Copies a run, and up to 16 bytes behind it that the next run is stored over; returns where that
  /// goes.
  @inline(__always)
  private static func copy(
    _ source: UnsafeRawPointer,
    _ count: Int,
    to output: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    output.storeBytes(of: ByteMask.vector(source), as: SIMD16<UInt8>.self)
    if count > 16 { copyLong(source, count, to: output) }
    return output + count
  }

  @inline(never)
  private static func copyLong(
    _ source: UnsafeRawPointer,
    _ count: Int,
    to output: UnsafeMutableRawPointer
  ) {
    for done in stride(from: 16, to: count, by: 16) {
      output.storeBytes(
        of: ByteMask.vector(source + done),
        toByteOffset: done,
        as: SIMD16<UInt8>.self
      )
    }
  }

  private static func escape(
    control byte: UInt8,
    into output: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    let digits: StaticString = "0123456789abcdef"
    output.copyMemory(from: ("\\u00" as StaticString).utf8Start, byteCount: 4)
    output.storeBytes(of: digits.utf8Start[Int(byte >> 4)], toByteOffset: 4, as: UInt8.self)
    output.storeBytes(of: digits.utf8Start[Int(byte & 15)], toByteOffset: 5, as: UInt8.self)
    return output + 6
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
