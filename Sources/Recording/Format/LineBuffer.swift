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
  @inline(__always)
  package mutating func append(
    atMost bound: Int,
    _ body: (UnsafeMutablePointer<UInt8>) -> Int
  ) {
    if capacity - count < bound { grow(by: bound) }
    let stored = body(base + count)
    assert(stored <= bound)
    count += stored
  }

  @inline(never)
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
  // Into their callers: of a text in the program nothing is left there but a move or two.

  /// Appends one byte.
  @inline(__always)
  package mutating func append(_ byte: UInt8) {
    append(atMost: 1) { room in
      room[0] = byte
      return 1
    }
  }

  /// Appends text that is in the program.
  @inline(__always)
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
  ///
  /// Eight digits at a time, each in its byte of a word: 385 instructions for the four numbers of a
  /// line of `ch=raw` (830 with a division for each two digits).
  package mutating func append(_ number: UInt64) {
    append(atMost: 24) { Self.store(number, to: $0) }
  }

  /// Appends `null` or an integer in decimal.
  package mutating func append(orNull number: Int64?) {
    if let number { append(number) } else { append("null") }
  }

  /// What eight digits can count.
  private static let word: UInt64 = 100_000_000

  /// Stores a number in decimal, in a place for 24 digits.
  ///
  /// - Returns: How many digits it has.
  static func store(_ number: UInt64, to room: UnsafeMutablePointer<UInt8>) -> Int {
    guard number >= word else { return store(leading: number, to: room) }
    let (high, low) = number.quotientAndRemainder(dividingBy: word)
    guard high >= word else {
      let count = store(leading: high, to: room)
      return count + store(eight: low, to: room + count)
    }
    let (highest, middle) = high.quotientAndRemainder(dividingBy: word)
    let count = store(leading: highest, to: room)
    return count + store(eight: middle, to: room + count) + store(eight: low, to: room + count + 8)
  }

  /// Stores a number below 10^8 without leading zeros, in a place for eight digits.
  ///
  /// - Returns: How many digits it has.
  @inline(__always)
  private static func store(leading number: UInt64, to room: UnsafeMutablePointer<UInt8>) -> Int {
    let digits = digits(number)
    // Of zero the last digit stays.
    let zeros = min(7, digits.trailingZeroBitCount &>> 3)
    store(word: digits &>> UInt64(8 &* zeros), to: room)
    return 8 &- zeros
  }

  /// Stores a number below 10^8 as eight digits.
  ///
  /// - Returns: 8.
  @inline(__always)
  private static func store(eight number: UInt64, to room: UnsafeMutablePointer<UInt8>) -> Int {
    store(word: digits(number), to: room)
    return 8
  }

  @inline(__always)
  private static func store(word: UInt64, to room: UnsafeMutablePointer<UInt8>) {
    let text = word | 0x3030_3030_3030_3030
    UnsafeMutableRawPointer(room).storeBytes(of: text.littleEndian, as: UInt64.self)
  }

  /// The eight digits of a number below 10^8, the first one in the lowest byte.
  ///
  /// Halved three times: into fours, twos and single digits, each step for all parts in one
  /// multiplication. (10,486 / 2^20 is 1/100, and 103 / 2^10 is 1/10, for what can stand there.)
  @inline(__always)
  private static func digits(_ number: UInt64) -> UInt64 {
    let high = number / 10_000
    let fours = high | (number &- high &* 10_000) &<< 32
    let hundreds = (fours &* 10_486) &>> 20 & 0x0000_007F_0000_007F
    let twos = hundreds | (fours &- hundreds &* 100) &<< 16
    let tens = (twos &* 103) &>> 10 & 0x000F_000F_000F_000F
    return tens | (twos &- tens &* 10) &<< 8
  }
}
