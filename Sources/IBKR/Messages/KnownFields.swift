// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The fields of one subscription as they were last sent, as digests: enough to tell an image that
/// holds news from one that repeats what is known.
///
/// The server's times do not tell them apart: `_updated` is when a message was published, and so an
/// image of an instrument that has been quiet for hours is of now (protocol reference 4.9).
struct KnownFields: Sendable {
  // More than a recorder asks for; those that find no room are not compared.
  private static let room = 32
  private var ids = InlineArray<32, UInt32>(repeating: 0)
  private var digests = InlineArray<32, UInt64>(repeating: 0)
  private var count = 0
  /// Behind the last one that was found: messages of one kind have their fields in one order.
  private var next = 0

  /// Notes the value of a field.
  ///
  /// - Parameters:
  ///   - id: The field's number.
  ///   - digest: Its value's ``digest(of:_:)``.
  /// - Returns: Whether it is news: another value than the one before, or the first one.
  @inline(__always)
  mutating func note(_ id: Int, _ digest: UInt64) -> Bool {
    // What comes unasked with any message says nothing about the market.
    guard id != 6119, id != 6508, id != 6509, id != 55 else { return false }
    let id = UInt32(truncatingIfNeeded: id)
    if next < count, ids[next] == id { return replace(next, digest) }
    for index in 0..<count where ids[index] == id { return replace(index, digest) }
    guard count < Self.room else { return false }
    ids[count] = id
    digests[count] = digest
    count &+= 1
    return true
  }

  @inline(__always)
  private mutating func replace(_ index: Int, _ digest: UInt64) -> Bool {
    next = index &+ 1
    defer { digests[index] = digest }
    return digests[index] != digest
  }

  /// A digest of a field's value.
  @inline(__always)
  static func digest(of id: Int, _ value: UnsafeRawBufferPointer) -> UInt64 {
    Digest.of(value, seed: UInt64(truncatingIfNeeded: id))
  }

  /// Whether a field has this value; nil if none was ever sent.
  func has(_ id: Int, _ value: String) -> Bool? {
    var value = value
    let digest = value.withUTF8 { Self.digest(of: id, UnsafeRawBufferPointer($0)) }
    for index in 0..<count where ids[index] == UInt32(truncatingIfNeeded: id) {
      return digests[index] == digest
    }
    return nil
  }
}
