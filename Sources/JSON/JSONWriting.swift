// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension [UInt8] {
  /// Appends a JSON string, quotes included, that decodes to exactly these bytes.
  ///
  /// - Parameter bytes: UTF-8; other bytes pass as they are and make the result no JSON.
  package mutating func appendJSON(string bytes: UnsafeRawBufferPointer) {
    append(UInt8(ascii: "\""))
    // In pieces whose worst case fits on the stack.
    var rest = bytes
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(160))
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
      let capacity = JSONString.escapedCapacity(for: piece.count)
      withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) { room in
        guard let start = room.baseAddress else { return }
        let count = JSONString.escape(piece, into: start)
        append(contentsOf: room[..<count])
      }
    }
    append(UInt8(ascii: "\""))
  }

  /// Appends a JSON string, quotes included.
  ///
  /// - Parameter text: Any text.
  package mutating func appendJSON(string text: String) {
    var text = text
    text.withUTF8 { appendJSON(string: UnsafeRawBufferPointer($0)) }
  }
}
