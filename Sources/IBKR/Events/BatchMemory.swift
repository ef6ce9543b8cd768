// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Memory of batches that everybody has done with, for the next ones.
///
/// A batch of a full read has three arrays of some 100 KiB. Given back to the allocator by another
/// thread, each goes back to the system and is got anew page by page: a tenth of the time of a read.
final class BatchMemory: Sendable {
  /// The arrays of a batch.
  struct Arrays {
    var records: [EventRecord] = []
    var bytes: [UInt8] = []
    var fields: [FieldPlace] = []
  }

  /// So many batches are on their way at full speed: one being made, one waiting, one being worked on.
  private static let most = 4
  /// What is larger is rare, and not kept.
  private static let largest = 512 << 10
  /// What is smaller costs nothing.
  private static let smallest = 32 << 10

  private let spare = Locked<[Arrays]>([])

  /// Gives the memory of some arrays back.
  func give(_ arrays: Arrays) {
    guard (Self.smallest...Self.largest).contains(arrays.bytes.capacity) else { return }
    spare.withLock { spare in
      if spare.count < Self.most { spare.append(arrays) }
    }
  }

  /// Takes memory for a batch.
  ///
  /// - Parameter bytes: How many bytes its messages have: a batch of few does not get memory for many,
  ///   because a thousand of them may have to wait for somebody.
  /// - Returns: Arrays without elements.
  func take(for bytes: Int) -> Arrays {
    guard bytes > Self.smallest else { return Arrays() }
    guard var arrays = spare.withLock({ $0.popLast() }) else { return Arrays() }
    guard arrays.bytes.capacity <= 4 * bytes else {
      give(arrays)
      return Arrays()
    }
    arrays.records.removeAll(keepingCapacity: true)
    arrays.bytes.removeAll(keepingCapacity: true)
    arrays.fields.removeAll(keepingCapacity: true)
    return arrays
  }
}
