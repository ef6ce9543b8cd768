// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Synchronization

/// A fixed block of memory that a connection fills and a ``MessageBatch`` then shares.
///
/// `@unchecked Sendable`: only the connection writes, and only while the block is not lent. A batch
/// reads while it lives; when it goes, `release` (a store with release ordering) comes after its
/// last read, and the connection's `isLent` (a load with acquire ordering) before its next write.
package final class ByteStorage: @unchecked Sendable {
  package let base: UnsafeMutableRawPointer
  let capacity: Int
  private let lent = Atomic<Bool>(false)

  init(capacity: Int) {
    base = .allocate(byteCount: capacity, alignment: 16)
    self.capacity = capacity
  }

  /// A block of just the right size with a copy of these bytes.
  convenience init(copying bytes: UnsafeRawBufferPointer) {
    self.init(capacity: bytes.count)
    UnsafeMutableRawBufferPointer(start: base, count: capacity).copyMemory(from: bytes)
  }

  deinit {
    base.deallocate()
  }

  /// Whether a batch still reads this block.
  var isLent: Bool { lent.load(ordering: .acquiring) }

  func lend() {
    lent.store(true, ordering: .relaxed)
  }

  func release() {
    lent.store(false, ordering: .releasing)
  }
}
