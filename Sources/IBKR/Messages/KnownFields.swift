// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// The fields of one subscription as they were last sent, as words: enough to tell an image that holds
/// news from one that repeats what is known.
///
/// The server's times do not tell them apart: `_updated` is when a message was published, and so an
/// image of an instrument that has been quiet for hours is of now (protocol reference 4.9).
struct KnownFields: Sendable {
  /// The value of one field.
  private struct Known: Sendable, Equatable {
    /// The field's number, and how long the value is.
    var key: UInt64 = 0
    /// The value, of a longer one a digest.
    var word: UInt64 = 0

    /// Whether it is of this field, however long its value.
    @inline(__always)
    func isOf(_ other: Known) -> Bool {
      UInt32(truncatingIfNeeded: key) == UInt32(truncatingIfNeeded: other.key)
    }
  }

  // More than a recorder asks for; those that find no room are not compared.
  private static let room = 32
  private var known = InlineArray<32, Known>(repeating: Known())
  private var count = 0
  /// Behind the last one that was found: messages of one kind have their fields in one order.
  private var next = 0

  /// Notes the fields of a message.
  ///
  /// - Parameters:
  ///   - fields: Where they stand.
  ///   - message: The message.
  ///   - digest: Gets the same as from ``digest(of:in:)``.
  /// - Returns: Whether one of them is news: another value than the one before, or the first one.
  mutating func note(
    _ fields: UnsafeBufferPointer<FieldPlace>,
    in message: UnsafeRawBufferPointer,
    digest: inout UInt64
  ) -> Bool {
    var isNews = false
    var sum: UInt64 = 0
    for field in fields {
      let value = Self.value(of: field, in: message)
      sum &+= Self.digest(value)
      if note(value, field.id) { isNews = true }
    }
    digest = sum
    return isNews
  }

  /// A digest of a message's fields that does not depend on their order; 0 without fields.
  static func digest(
    of fields: UnsafeBufferPointer<FieldPlace>,
    in message: UnsafeRawBufferPointer
  ) -> UInt64 {
    fields.reduce(0) { $0 &+ digest(value(of: $1, in: message)) }
  }

  /// Whether a field has this value; nil if none was ever sent.
  func has(_ id: Int, _ value: String) -> Bool? {
    var value = value
    let wanted = value.withUTF8 { bytes in
      Known(
        key: Self.key(id, bytes.count),
        word: bytes.count > 8
          ? Digest.of(UnsafeRawBufferPointer(bytes))
          : bytes.baseAddress.map { ByteScan.word($0, count: bytes.count) } ?? 0
      )
    }
    for index in 0..<count where known[index].isOf(wanted) { return known[index] == wanted }
    return nil
  }

  @inline(__always)
  private mutating func note(_ value: Known, _ id: Int) -> Bool {
    // What comes unasked with any message says nothing about the market.
    guard id != 6119, id != 6508, id != 6509, id != 55 else { return false }
    if next < count, known[next].isOf(value) { return replace(next, value) }
    for index in 0..<count where known[index].isOf(value) { return replace(index, value) }
    guard count < Self.room else { return false }
    known[count] = value
    count &+= 1
    return true
  }

  @inline(__always)
  private mutating func replace(_ index: Int, _ value: Known) -> Bool {
    next = index &+ 1
    guard known[index] != value else { return false }
    known[index] = value
    return true
  }

  @inline(__always)
  private static func key(_ id: Int, _ count: Int) -> UInt64 {
    UInt64(truncatingIfNeeded: count) &<< 32 | UInt64(UInt32(truncatingIfNeeded: id))
  }

  @inline(__always)
  private static func value(of field: FieldPlace, in message: UnsafeRawBufferPointer) -> Known {
    let content = field.content(in: message)
    let key = key(field.id, content.count)
    guard content.count <= 8 else { return Known(key: key, word: Digest.of(content)) }
    guard let base = content.baseAddress else { return Known(key: key, word: 0) }
    return Known(key: key, word: ByteScan.word(base, count: content.count))
  }

  /// A digest of one field: both words, spread by one multiplication over all the bits.
  @inline(__always)
  private static func digest(_ value: Known) -> UInt64 {
    let key = value.key &* 0x9E37_79B9_7F4A_7C15 ^ 0xA076_1D64_78BD_642F
    let (high, low) = key.multipliedFullWidth(by: value.word ^ 0xE703_7ED1_A0B4_28DB)
    return high ^ low
  }
}
