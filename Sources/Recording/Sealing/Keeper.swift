// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Transport

/// Does on a thread of its own what takes a disk long: syncing, sealing, removing.
///
/// One keeper seals and another syncs, so that no sync waits for a piece of sealing.
actor Keeper {
  private nonisolated let loop: EventLoop
  private let storage: any Storage
  private let sealing: RecordingWriter.Sealing
  private var upkeep: Upkeep?

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Begins, once the start-up is over.
  ///
  /// - Parameters:
  ///   - loop: The thread.
  ///   - storage: The recording.
  ///   - sealing: What becomes of parts that have ended.
  init(on loop: EventLoop, _ storage: any Storage, sealing: RecordingWriter.Sealing) {
    self.loop = loop
    self.storage = storage
    self.sealing = sealing
  }

  /// Makes something survive a power loss.
  ///
  /// - Parameter pending: What.
  /// - Throws: `StorageError`.
  func synchronize(_ pending: [PendingSync]) throws(StorageError) {
    for pending in pending { try pending.perform(in: storage) }
  }

  /// Does the next piece of a duty.
  ///
  /// - Parameter duty: What is to be sealed.
  /// - Returns: Whether it is sealed now.
  /// - Throws: `StorageError`; it may be called again.
  func step(_ duty: SealingDuty) throws(StorageError) -> Bool {
    let upkeep = if let upkeep { upkeep } else { try Upkeep(storage, sealing: sealing) }
    self.upkeep = upkeep
    return try upkeep.step(duty, at: loop.timestamp().realtime)
  }
}
