// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension LineBuffer {
  /// Appends a JSON string that decodes to exactly these bytes, which must be UTF-8.
  ///
  /// Quotes, backslashes and control characters are escaped (RFC 8259 section 7), nothing else.
  package mutating func append(string bytes: UnsafeRawBufferPointer) {
    append(UInt8(ascii: "\""))
    // In pieces, so that the room for the worst case (six bytes for one) stays small.
    var rest = bytes
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(16_384))
      append(atMost: 6 * piece.count + 8) { Self.escape(piece, into: UnsafeMutableRawPointer($0)) }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
    }
    append(UInt8(ascii: "\""))
  }

  /// Appends a JSON string.
  package mutating func append(string text: String) {
    var text = text
    text.withUTF8 { append(string: UnsafeRawBufferPointer($0)) }
  }

  /// Appends `null` or a JSON string.
  package mutating func append(stringOrNull text: String?) {
    if let text { append(string: text) } else { append("null") }
  }

  /// Appends `true` or `false`.
  package mutating func append(_ value: Bool) {
    if value { append("true") } else { append("false") }
  }

  /// Appends a JSON array of strings.
  package mutating func append(strings: some Sequence<String>) {
    append(UInt8(ascii: "["))
    var isFirst = true
    for text in strings {
      if !isFirst { append(UInt8(ascii: ",")) }
      isFirst = false
      append(string: text)
    }
    append(UInt8(ascii: "]"))
  }

  /// Appends a JSON array of integers.
  package mutating func append(integers: some Sequence<Int>) {
    append(UInt8(ascii: "["))
    var isFirst = true
    for number in integers {
      if !isFirst { append(UInt8(ascii: ",")) }
      isFirst = false
      append(Int64(number))
    }
    append(UInt8(ascii: "]"))
  }

  /// Escapes eight bytes at a time.
  ///
  /// The word is stored as it is; then, for each byte that needs it, the escape is stored over it
  /// and the rest of the word behind that. A quarter of an IBKR message's bytes are quotes or
  /// neighbours of one: on such text this takes two thirds of the time of a loop over the bytes.
  ///
  /// - Parameters:
  ///   - source: The bytes.
  ///   - room: At least six times as many bytes, and eight more.
  /// - Returns: How many bytes were stored.
  private static func escape(
    _ source: UnsafeRawBufferPointer,
    into room: UnsafeMutableRawPointer
  ) -> Int {
    guard let start = source.baseAddress else { return 0 }
    var output = room
    var index = 0
    while source.count &- index >= 8 {
      var word = UInt64(littleEndian: (start + index).loadUnaligned(as: UInt64.self))
      var marks = Self.escapable(in: word)
      index &+= 8
      output.storeBytes(of: word.littleEndian, as: UInt64.self)
      if marks == 0 {
        output += 8
        continue
      }
      var left = 8
      repeat {
        let plain = marks.trailingZeroBitCount &>> 3
        let bits = UInt64(truncatingIfNeeded: plain &<< 3)
        output += plain
        word &>>= bits
        output += escape(UInt8(truncatingIfNeeded: word), into: output)
        word &>>= 8
        output.storeBytes(of: word.littleEndian, as: UInt64.self)
        left &-= plain &+ 1
        marks = (marks &>> bits) &>> 8
      } while marks != 0
      output += left
    }
    while index < source.count {
      output += escape(start.load(fromByteOffset: index, as: UInt8.self), into: output)
      index &+= 1
    }
    return output - room
  }

  /// The top bit of each byte of a word that is a quote, a backslash or a control character.
  private static func escapable(in word: UInt64) -> UInt64 {
    let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    let quote = word ^ 0x2222_2222_2222_2222
    let backslash = word ^ 0x5C5C_5C5C_5C5C_5C5C
    // Each sum stays inside its byte. Its top bit is set where the byte is not zero, and in the
    // last one where the byte is not below 0x20.
    let notQuote = ((quote & low) &+ low) | quote
    let notBackslash = ((backslash & low) &+ low) | backslash
    let notControl = ((word & low) &+ 0x6060_6060_6060_6060) | word
    return ~(notQuote & notBackslash & notControl) & ~low
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
      let hexadecimal: StaticString = "0123456789abcdef"
      output.copyMemory(from: ("\\u00" as StaticString).utf8Start, byteCount: 4)
      output.storeBytes(of: hexadecimal.utf8Start[Int(byte >> 4)], toByteOffset: 4, as: UInt8.self)
      output.storeBytes(of: hexadecimal.utf8Start[Int(byte & 15)], toByteOffset: 5, as: UInt8.self)
      return 6
    }
  }
}
