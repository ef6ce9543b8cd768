// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import JSON

extension LineBuffer {
  /// Appends a JSON string that decodes to exactly these bytes, which must be UTF-8.
  ///
  /// Quotes, backslashes and control characters are escaped (RFC 8259 section 7), nothing else.
  package mutating func append(string bytes: UnsafeRawBufferPointer) {
    guard bytes.count <= Self.piece else {
      append(UInt8(ascii: "\""))
      append(escaping: bytes)
      return append(UInt8(ascii: "\""))
    }
    append(atMost: JSONString.escapedCapacity(for: bytes.count) + 2) { room in
      var line = LineCursor(room)
      line.put(UInt8(ascii: "\""))
      line.put(escaping: bytes)
      line.put(UInt8(ascii: "\""))
      return line.count
    }
  }

  /// How much is escaped at once, so that the room for the worst case (six bytes for one) stays small.
  private static let piece = 16_384

  /// Appends a piece of a JSON string.
  package mutating func append(escaping bytes: UnsafeRawBufferPointer) {
    var rest = bytes
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.piece))
      append(atMost: JSONString.escapedCapacity(for: piece.count)) { room in
        JSONString.escape(piece, into: UnsafeMutableRawPointer(room))
      }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
    }
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

  /// Appends `null` or a number in plain digits, always with a point.
  ///
  /// A reader that meets `150` where the next line has `150.25` may take the column for integers.
  package mutating func append(orNull number: Decimal?) {
    guard let number else { return append("null") }
    append(atMost: Decimal.encodedCapacity) { room in
      number.encode(into: UnsafeMutableRawPointer(room), minimumFractionDigits: 1)
    }
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
}
