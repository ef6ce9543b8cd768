// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
package import JSON

/// A place in the room that ``LineBuffer/append(atMost:_:)`` has made.
///
/// What is stored through it asks for no room again: a line of few long and many short pieces takes a
/// third of the instructions like this. It is valid in the closure that made it.
package struct LineCursor {
  private let start: UnsafeMutableRawPointer
  private var place: UnsafeMutableRawPointer

  /// Begins where room was made.
  @inline(__always)
  package init(_ room: UnsafeMutablePointer<UInt8>) {
    start = UnsafeMutableRawPointer(room)
    place = start
  }

  /// How many bytes have been stored.
  package var count: Int {
    @inline(__always) get { place - start }
  }

  /// Stores one byte.
  @inline(__always)
  package mutating func put(_ byte: UInt8) {
    place.storeBytes(of: byte, as: UInt8.self)
    place += 1
  }

  /// Stores text that is in the program.
  @inline(__always)
  package mutating func put(_ text: StaticString) {
    place.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
    place += text.utf8CodeUnitCount
  }

  /// Stores bytes as they are.
  @inline(__always)
  package mutating func put(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    place.copyMemory(from: source, byteCount: bytes.count)
    place += bytes.count
  }

  /// Stores `true` or `false`.
  @inline(__always)
  package mutating func put(_ value: Bool) {
    if value { put("true") } else { put("false") }
  }

  /// Stores the first bytes of a vector; there must be room for all of it.
  @inline(__always)
  package mutating func put(_ vector: SIMD32<UInt8>, count: Int) {
    place.storeBytes(of: vector, as: SIMD32<UInt8>.self)
    place += count
  }

  /// Stores an integer in decimal; it takes 20 bytes at most, and room for 24.
  @inline(__always)
  package mutating func put(_ number: Int64) {
    if number < 0 { put(UInt8(ascii: "-")) }
    put(number.magnitude)
  }

  /// Stores an integer in decimal; it takes 20 bytes at most, and room for 24.
  @inline(__always)
  package mutating func put(_ number: UInt64) {
    place += LineBuffer.store(number, to: place.assumingMemoryBound(to: UInt8.self))
  }

  /// Stores a point in time as a JSON string, of 32 bytes.
  package mutating func put(iso realtime: Int64) {
    var text = UTCTime(realtime: realtime).description
    put(UInt8(ascii: "\""))
    text.withUTF8 { put(UnsafeRawBufferPointer($0)) }
    put(UInt8(ascii: "\""))
  }

  /// Stores a piece of a JSON string, for which there must be ``JSONString/escapedCapacity(for:)``.
  package mutating func put(escaping bytes: UnsafeRawBufferPointer) {
    place += JSONString.escape(bytes, into: place)
  }

  /// Stores a number in plain digits, always with a point, for which there must be
  /// `Decimal.encodedCapacity`.
  package mutating func put(_ number: Decimal) {
    place += number.encode(into: place, minimumFractionDigits: 1)
  }
}
