// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension JSONString {
  /// Undoes the escapes of a string without making one: what ``text(_:)`` does, for bytes that go on
  /// as bytes.
  ///
  /// - Parameters:
  ///   - content: The bytes between the quotes.
  ///   - room: As many bytes as `content` has; no escape is shorter than what it stands for.
  /// - Returns: How many bytes were stored, or nil if an escape is malformed. Whether they are UTF-8
  ///   is not looked at.
  package static func unescape(
    _ content: UnsafeRawBufferPointer,
    into room: UnsafeMutableRawPointer
  ) -> Int? {
    var (index, count) = (0, 0)
    while index < content.count {
      let byte = content[index]
      guard byte == UInt8(ascii: "\\") else {
        room.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        (index, count) = (index &+ 1, count &+ 1)
        continue
      }
      guard index + 1 < content.count else { return nil }
      if let byte = unescaped(content[index + 1]) {
        room.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        (index, count) = (index &+ 2, count &+ 1)
      } else {
        guard let scalar = scalar(content, &index) else { return nil }
        for byte in String(scalar).utf8 {
          room.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
          count &+= 1
        }
      }
    }
    return count
  }
}
