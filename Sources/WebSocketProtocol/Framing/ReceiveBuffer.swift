// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Where received bytes land, and where frames are read in place.
///
/// One block of 128 KiB: 68 to 136 KiB measured best for reading TLS, and a block that is written,
/// parsed and read again should stay in the second-level cache. When a batch has filled most of it,
/// the batch gets the block and the connection goes on with another; a batch of a few messages is
/// copied instead, so that a queue of such batches cannot pin a block each.
struct ReceiveBuffer: ~Copyable {
  static let capacity = 1 << 17

  /// How many blocks are kept for reuse; more are made when a consumer holds on to its batches.
  private static let pooled = 4

  private var storage: ByteStorage
  private var pool: [ByteStorage]
  private var base: UnsafeMutableRawPointer

  /// What of the block has been filled, and how much of that has been parsed.
  private(set) var filled = 0
  private(set) var parsed = 0

  init() {
    storage = ByteStorage(capacity: Self.capacity)
    pool = [storage]
    base = storage.base
  }

  /// What has been received and not yet parsed; masked payloads are unmasked in place.
  @inline(__always)
  var unparsed: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base + parsed, count: filled - parsed)
  }

  @inline(__always)
  mutating func advance(by count: Int) {
    parsed += count
  }

  /// Forgets what has not been parsed.
  mutating func discard() {
    parsed = filled
  }

  /// Lets bytes be written behind the received ones.
  mutating func fill<E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
  ) throws(E) {
    moveToFront()
    let space = UnsafeMutableRawBufferPointer(
      start: base + filled,
      count: Self.capacity - filled
    )
    filled += try body(space)
  }

  /// How many bytes can be received before parsing.
  var space: Int { Self.capacity - (filled - parsed) }

  private mutating func moveToFront() {
    guard parsed > 0 else { return }
    base.copyMemory(from: base + parsed, byteCount: filled - parsed)
    filled -= parsed
    parsed = 0
  }

  /// Gives the parsed bytes of this range to a batch: the whole block when they fill half of it, a
  /// copy of right size otherwise.
  ///
  /// - Parameter range: Offsets in the block.
  /// - Returns: The block, and what is to be subtracted from an offset to find it there.
  mutating func lend(_ range: Range<Int>) -> (storage: ByteStorage, bias: Int) {
    guard range.count >= Self.capacity / 2 else {
      let bytes = UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
      return (ByteStorage(copying: bytes), range.lowerBound)
    }
    let full = storage
    full.lend()
    storage = nextBlock()
    base = storage.base
    base.copyMemory(from: full.base + parsed, byteCount: filled - parsed)
    filled -= parsed
    parsed = 0
    return (full, 0)
  }

  private mutating func nextBlock() -> ByteStorage {
    for block in pool where !block.isLent {
      return block
    }
    let block = ByteStorage(capacity: Self.capacity)
    if pool.count < Self.pooled {
      pool.append(block)
    }
    return block
  }
}
