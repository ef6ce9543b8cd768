// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A key of at most eight bytes as one integer, so that telling keys apart is one comparison.
///
/// IBKR's routing keys (`topic`, `conid`, `_updated`) and its field ids (`31`, `7295`) all fit.
@usableFromInline
package struct JSONKey: Sendable, Hashable {
  /// The first eight bytes, the first one lowest; missing ones are zero.
  @usableFromInline package let word: UInt64

  /// How many bytes the key has; may be more than eight.
  @usableFromInline package let count: Int

  @inlinable
  @inline(__always)
  init(word: UInt64, count: Int) {
    self.word = word
    self.count = count
  }

  /// The key that is written like this.
  ///
  /// - Parameter text: At most eight ASCII characters: a constant of the program.
  package init(_ text: StaticString) {
    precondition(text.utf8CodeUnitCount <= 8, "longer keys are not told apart by their word")
    var word: UInt64 = 0
    text.withUTF8Buffer { bytes in
      for (index, byte) in bytes.enumerated() { word |= UInt64(byte) << (8 * index) }
    }
    self.init(word: word, count: text.utf8CodeUnitCount)
  }

  /// The key as a number of one to eight digits, which is what IBKR's field ids are.
  @inlinable
  @inline(__always)
  package var number: Int? {
    guard count &- 1 < 8, count > 0 else { return nil }
    var value = 0
    var rest = word
    for _ in 0..<count {
      let digit = UInt8(truncatingIfNeeded: rest) &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      value = value &* 10 &+ Int(digit)
      rest &>>= 8
    }
    return value
  }
}

/// One member of an object: where its key and its value stand.
@usableFromInline
package struct JSONMember: Sendable {
  /// The key, ready to be compared; one that is written with escapes equals nothing.
  @usableFromInline package let key: JSONKey

  /// The bytes between the key's quotes, as they came.
  @usableFromInline package let name: Range<Int>

  @usableFromInline package let kind: JSONKind

  /// The value as it came; a string with its quotes.
  @usableFromInline package let value: Range<Int>

  /// Whether a string value has a backslash in it, so that its bytes are not its text.
  @usableFromInline package let hasEscapes: Bool

  @inlinable
  @inline(__always)
  init(key: JSONKey, name: Range<Int>, kind: JSONKind, value: Range<Int>, hasEscapes: Bool) {
    self.key = key
    self.name = name
    self.kind = kind
    self.value = value
    self.hasEscapes = hasEscapes
  }

  /// The value without the quotes of a string.
  @inlinable
  @inline(__always)
  package var content: Range<Int> {
    guard kind == .string else { return value }
    return Range(uncheckedBounds: (value.lowerBound &+ 1, value.upperBound &- 1))
  }
}
