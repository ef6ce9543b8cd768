// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Where messages are put together that do not lie in one piece in the receive buffer: fragmented,
/// compressed, or still arriving.
///
/// Finished messages stay until they are lent to a batch; the unfinished one is the rest behind them.
struct AssemblyBuffer: ~Copyable {
  private static let smallest = 4096

  private var storage: ByteStorage?
  private(set) var count = 0

  /// Where the unfinished message begins.
  private(set) var start = 0

  /// What has been received of the unfinished message.
  @inline(__always)
  var unfinished: Int { count - start }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty else { return }
    withSpace(atLeast: bytes.count) { space in
      space.copyMemory(from: bytes)
      return bytes.count
    }
  }

  /// Lets bytes be written behind the present ones.
  ///
  /// - Parameters:
  ///   - minimum: What the space must hold; it may be larger.
  ///   - body: Writes to the space and returns how many bytes it wrote.
  /// - Returns: The bytes written.
  @discardableResult
  mutating func withSpace(
    atLeast minimum: Int,
    _ body: (UnsafeMutableRawBufferPointer) -> Int
  ) -> UnsafeRawBufferPointer {
    let block = reserve(minimum)
    let place = block.base + count
    let written = body(
      UnsafeMutableRawBufferPointer(start: place, count: block.capacity - count)
    )
    count += written
    return UnsafeRawBufferPointer(start: place, count: written)
  }

  /// A block with this much space; it doubles, so that many small fragments cost no more than one.
  private mutating func reserve(_ minimum: Int) -> ByteStorage {
    if let storage, storage.capacity - count >= minimum { return storage }
    let capacity = max(Self.smallest, (storage?.capacity ?? 0) * 2, count + minimum)
    let block = ByteStorage(capacity: capacity)
    if let storage {
      block.base.copyMemory(from: storage.base, byteCount: count)
    }
    storage = block
    return block
  }

  /// Finishes the message and gives its place.
  mutating func finish() -> Range<Int> {
    let range = start..<count
    start = count
    return range
  }

  /// Forgets the unfinished message.
  mutating func dropUnfinished() {
    count = start
  }

  /// Gives the finished messages to a batch; the unfinished one moves to a block of its own.
  ///
  /// - Returns: Their block, or nil if nothing is finished.
  mutating func lendFinished() -> ByteStorage? {
    guard start > 0, let full = storage else { return nil }
    let rest = UnsafeRawBufferPointer(start: full.base + start, count: unfinished)
    storage = nil
    count = 0
    start = 0
    append(rest)
    return full
  }
}
