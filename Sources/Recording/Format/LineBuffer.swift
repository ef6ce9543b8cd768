// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Lines in the making: memory that is written to once and handed to `write` as it is.
///
/// Every recorded byte goes through here, so room is made once for a whole value and its bytes are
/// then stored without a check each. The memory grows as needed and is kept for the next batch.
package struct LineBuffer: ~Copyable {
  // Owned: allocated in `init` and `grow`, freed in `deinit`. `count <= capacity` always.
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int

  /// How many bytes there are.
  package private(set) var count = 0

  /// Creates an empty buffer.
  ///
  /// - Parameter capacity: How many bytes fit before it grows.
  package init(capacity: Int = 4_096) {
    self.capacity = max(64, capacity)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  /// Whether there are no bytes.
  package var isEmpty: Bool { count == 0 }

  /// Gives the bytes to `body`, without a copy.
  package borrowing func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  /// Forgets the bytes; memory beyond `keeping` is given back.
  package mutating func removeAll(keeping limit: Int = 2 << 20) {
    count = 0
    guard capacity > limit else { return }
    base.deallocate()
    capacity = max(64, limit)
    base = .allocate(capacity: capacity)
  }

  /// Forgets the bytes after the first `count`, as when a line turns out not to be wanted.
  package mutating func truncate(to count: Int) {
    self.count = min(self.count, max(0, count))
  }

  /// Makes room and lets `body` store into it.
  ///
  /// - Parameters:
  ///   - bound: The most bytes that `body` may store.
  ///   - body: Stores bytes from the start of the room; returns how many.
  package mutating func append(
    atMost bound: Int,
    _ body: (UnsafeMutablePointer<UInt8>) -> Int
  ) {
    if capacity - count < bound { grow(by: bound) }
    let stored = body(base + count)
    assert(stored <= bound)
    count += stored
  }

  private mutating func grow(by room: Int) {
    let larger = max(count + room, capacity * 2)
    let new = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    new.update(from: base, count: count)
    base.deallocate()
    base = new
    capacity = larger
  }
}

extension LineBuffer {
  /// Appends one byte.
  package mutating func append(_ byte: UInt8) {
    append(atMost: 1) { room in
      room[0] = byte
      return 1
    }
  }

  /// Appends text that is in the program.
  package mutating func append(_ text: StaticString) {
    append(atMost: text.utf8CodeUnitCount) { room in
      room.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
      return text.utf8CodeUnitCount
    }
  }

  /// Appends bytes as they are.
  package mutating func append(contentsOf bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    append(atMost: bytes.count) { room in
      UnsafeMutableRawPointer(room).copyMemory(from: source, byteCount: bytes.count)
      return bytes.count
    }
  }

  /// Appends bytes as they are.
  package mutating func append(contentsOf bytes: [UInt8]) {
    bytes.withUnsafeBytes { append(contentsOf: $0) }
  }

  /// Appends an integer in decimal.
  package mutating func append(_ number: Int64) {
    if number < 0 { append(UInt8(ascii: "-")) }
    append(number.magnitude)
  }

  /// Appends an integer in decimal.
  package mutating func append(_ number: UInt64) {
    let digits = Self.digitCount(number)
    append(atMost: 20) { room in
      var rest = number
      var place = digits
      while place >= 2 {
        let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 100)
        rest = quotient
        place -= 2
        let tens = remainder / 10
        room[place] = UInt8(truncatingIfNeeded: 48 + tens)
        room[place + 1] = UInt8(truncatingIfNeeded: 48 + remainder - tens * 10)
      }
      if place == 1 { room[0] = UInt8(truncatingIfNeeded: 48 + rest) }
      return digits
    }
  }

  /// Appends `null` or an integer in decimal.
  package mutating func append(orNull number: Int64?) {
    if let number { append(number) } else { append("null") }
  }

  private static func digitCount(_ number: UInt64) -> Int {
    var digits = 1
    var rest = number
    while rest >= 10_000 {
      rest /= 10_000
      digits += 4
    }
    if rest >= 1_000 { return digits + 3 }
    if rest >= 100 { return digits + 2 }
    return rest >= 10 ? digits + 1 : digits
  }
}
