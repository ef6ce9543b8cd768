// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import JSON

/// Where a field of a quote stands in its message.
///
/// The I/O thread looks at a message once and notes the places; whoever wants a value takes it from
/// its place, and no message is searched again: a second look cost as much as the first.
package struct FieldPlace: Sendable {
  private let number: UInt32
  // Messages have at most 16 MiB.
  private let start: UInt32
  private let count: UInt32
  /// The kind of the value in JSON.
  package let kind: JSONKind

  /// Notes a place.
  ///
  /// - Parameters:
  ///   - id: The field's number, of at most eight digits.
  ///   - place: Where its value stands, without the quotes of a string.
  ///   - kind: The kind of the value in JSON.
  @inline(__always)
  init(_ id: Int, _ place: Range<Int>, _ kind: JSONKind) {
    number = UInt32(truncatingIfNeeded: id)
    start = UInt32(truncatingIfNeeded: place.lowerBound)
    count = UInt32(truncatingIfNeeded: place.upperBound &- place.lowerBound)
    self.kind = kind
  }

  /// The field's number.
  package var id: Int { Int(number) }

  /// The value, without the quotes of a string.
  ///
  /// - Parameter message: The message that the place was noted in.
  /// - Returns: Its bytes, valid as long as the message's are.
  @inline(__always)
  package func content(in message: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let start = Int(start)
    return UnsafeRawBufferPointer(rebasing: message[start..<start &+ Int(count)])
  }
}
