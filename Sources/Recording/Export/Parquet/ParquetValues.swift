// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// The values of a column that have 64 bits each, as a list of those that are different and the places
/// of all in it; or one after the other, where most are different.
struct WordValues: ~Copyable {
  /// All values, one after the other; empty while there is a dictionary.
  private(set) var plain: [Int64] = []
  /// The different values.
  private(set) var dictionary: [Int64] = []
  /// The place of each value in ``dictionary``.
  private(set) var indexes: [UInt32] = []
  /// Whether there is no dictionary.
  private(set) var isPlain: Bool

  // Places in `dictionary` by their values' hashes, plus one; a power of two of them.
  private var slots: [UInt32] = []

  /// More different values than this are no dictionary: 256 KiB.
  private static let mostEntries = 32_768

  /// Begins.
  ///
  /// - Parameter isPlain: Whether to do without a dictionary from the start.
  init(isPlain: Bool) {
    self.isPlain = isPlain
  }

  /// How many values there are.
  var count: Int { isPlain ? plain.count : indexes.count }

  /// Adds a value.
  mutating func append(_ value: Int64) {
    guard !isPlain else { return plain.append(value) }
    if let last = indexes.last, dictionary[Int(last)] == value { return indexes.append(last) }
    if dictionary.count * 2 >= slots.count { rehash() }
    var slot = Self.hash(value) & (slots.count - 1)
    while slots[slot] != 0 {
      let place = slots[slot] - 1
      if dictionary[Int(place)] == value { return indexes.append(place) }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard dictionary.count < Self.mostEntries else {
      plain = indexes.map { dictionary[Int($0)] }
      (dictionary, indexes, slots, isPlain) = ([], [], [], true)
      return plain.append(value)
    }
    dictionary.append(value)
    slots[slot] = UInt32(dictionary.count)
    indexes.append(UInt32(dictionary.count - 1))
  }

  /// Adds the last value once more.
  mutating func repeatLast() {
    if isPlain {
      plain.append(plain[plain.count - 1])
    } else {
      indexes.append(indexes[indexes.count - 1])
    }
  }

  /// Forgets the values; where a dictionary was of no use there will be none.
  mutating func removeAll() {
    plain.removeAll(keepingCapacity: true)
    dictionary.removeAll(keepingCapacity: true)
    indexes.removeAll(keepingCapacity: true)
    for index in slots.indices { slots[index] = 0 }
  }

  private mutating func rehash() {
    let size = max(64, slots.count * 2)
    slots = [UInt32](repeating: 0, count: size)
    for (place, value) in dictionary.enumerated() {
      var slot = Self.hash(value) & (size - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
      slots[slot] = UInt32(place + 1)
    }
  }

  private static func hash(_ value: Int64) -> Int {
    let product = UInt64(bitPattern: value) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: (product ^ product >> 32) & 0x7FFF_FFFF)
  }
}

/// The values of a column that are bytes, kept as ``WordValues`` are.
struct ByteValues: ~Copyable {
  /// The bytes of the different values, or of all, one after the other.
  private(set) var bytes = LineBuffer()
  /// Where each of them ends.
  private(set) var ends: [Int] = []
  /// The place of each value among the different ones; empty without a dictionary.
  private(set) var indexes: [UInt32] = []
  /// Whether there is no dictionary.
  private(set) var isPlain = false

  private var slots: [UInt32] = []

  /// More than this is no dictionary.
  private static let mostEntries = 65_536
  private static let mostBytes = 1 << 20

  /// How many values there are.
  var count: Int { isPlain ? ends.count : indexes.count }

  /// How many bytes are held.
  var byteCount: Int { bytes.count }

  /// How many different values there are, or all without a dictionary.
  var entryCount: Int { ends.count }

  /// Adds a value.
  mutating func append(_ value: UnsafeRawBufferPointer) {
    guard !isPlain else { return store(value) }
    if let last = indexes.last, isEntry(Int(last), value) { return indexes.append(last) }
    if ends.count * 2 >= slots.count { rehash() }
    var slot = Self.hash(value) & (slots.count - 1)
    while slots[slot] != 0 {
      let place = slots[slot] - 1
      if isEntry(Int(place), value) { return indexes.append(place) }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard ends.count < Self.mostEntries, bytes.count + value.count <= Self.mostBytes else {
      unfold()
      return store(value)
    }
    store(value)
    slots[slot] = UInt32(ends.count)
    indexes.append(UInt32(ends.count - 1))
  }

  /// Adds the last value once more; there must be a dictionary.
  mutating func repeatLast() {
    indexes.append(indexes[indexes.count - 1])
  }

  /// Gives an entry's bytes to `body`.
  borrowing func withEntry<Result>(
    _ place: Int,
    _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    bytes.withBytes { all in
      body(UnsafeRawBufferPointer(rebasing: all[(place > 0 ? ends[place - 1] : 0)..<ends[place]]))
    }
  }

  /// Forgets the values; where a dictionary was of no use there will be none.
  mutating func removeAll() {
    bytes.removeAll()
    ends.removeAll(keepingCapacity: true)
    indexes.removeAll(keepingCapacity: true)
    for index in slots.indices { slots[index] = 0 }
  }

  private mutating func store(_ value: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: value)
    ends.append(bytes.count)
  }

  private mutating func unfold() {
    var all = ByteValues()
    all.isPlain = true
    for index in indexes { withEntry(Int(index)) { all.store($0) } }
    self = all
  }

  private borrowing func isEntry(_ place: Int, _ value: UnsafeRawBufferPointer) -> Bool {
    withEntry(place) { entry in
      guard entry.count == value.count else { return false }
      guard let one = entry.baseAddress, let other = value.baseAddress else { return true }
      return memcmp(one, other, entry.count) == 0
    }
  }

  private mutating func rehash() {
    let size = max(64, slots.count * 2)
    var fresh = [UInt32](repeating: 0, count: size)
    for place in 0..<ends.count {
      var slot = withEntry(place) { Self.hash($0) } & (size - 1)
      while fresh[slot] != 0 { slot = (slot + 1) & (size - 1) }
      fresh[slot] = UInt32(place + 1)
    }
    slots = fresh
  }

  private static func hash(_ value: UnsafeRawBufferPointer) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(truncatingIfNeeded: value.count)
    var index = 0
    while index + 8 <= value.count {
      hash =
        (hash ^ value.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        &* 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 29
      index += 8
    }
    while index < value.count {
      hash = (hash ^ UInt64(value[index])) &* 0x0000_0100_0000_01B3
      index += 1
    }
    return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0x7FFF_FFFF)
  }
}
