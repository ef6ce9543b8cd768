// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Where the fields of the last quote stand: memory that is kept from message to message.
///
/// An array's `append` asks for each field whether somebody else has the array too: a tenth of the
/// whole look at a message.
struct FieldList: ~Copyable {
  /// One absurd message must not hold its memory for ever.
  private static let most = 4_096

  // Owned: allocated in `init` and `resize`, freed there and in `deinit`; the first `count` are
  // initialised, and `count <= capacity` always.
  private var base: UnsafeMutablePointer<FieldPlace>
  private var capacity: Int

  /// How many there are.
  private(set) var count = 0

  /// Without fields.
  init() {
    capacity = 64
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  /// Whether there are none.
  var isEmpty: Bool { count == 0 }

  /// The places, valid until the list is changed.
  var places: UnsafeBufferPointer<FieldPlace> { UnsafeBufferPointer(start: base, count: count) }

  /// Adds one.
  @inline(__always)
  mutating func append(_ place: FieldPlace) {
    if count == capacity { resize(to: 2 * capacity) }
    (base + count).initialize(to: place)
    count &+= 1
  }

  /// Forgets them.
  @inline(__always)
  mutating func removeAll() {
    count = 0
    if capacity > Self.most { resize(to: 64) }
  }

  @inline(never)
  private mutating func resize(to room: Int) {
    let new = UnsafeMutablePointer<FieldPlace>.allocate(capacity: room)
    new.moveInitialize(from: base, count: count)
    base.deallocate()
    base = new
    capacity = room
  }
}
