// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A part that has ended and is to be sealed.
struct SealingDuty: Sendable {
  /// The plain part.
  let part: PartName
  /// Its channel.
  let channel: Channel
  /// What has to be safe before.
  let before: [PendingSync]
}

/// Seals parts that have ended, and removes those that are too many: all of it far from the thread
/// that writes, which does not wait for a disk to sync.
///
/// Of a recording's files only the manifest is written to by both a start-up and this.
final class Upkeep {
  private let storage: any Storage
  private let sealing: RecordingWriter.Sealing
  private let manifest: LedgerFile
  private let sealedParts: SealedParts
  private var sealer: PartSealer?

  /// Takes stock of what is sealed already.
  ///
  /// - Parameters:
  ///   - storage: The recording; its start-up must be over.
  ///   - sealing: What becomes of parts that have ended.
  /// - Throws: `StorageError`.
  init(_ storage: any Storage, sealing: RecordingWriter.Sealing) throws(StorageError) {
    self.storage = storage
    self.sealing = sealing
    manifest = LedgerFile(Manifest.path, storage: storage)
    sealedParts = SealedParts(
      sealing.retention.keepsAll ? Manifest() : try Manifest(of: storage),
      retention: sealing.retention,
      storage: storage,
      manifest: manifest
    )
  }

  /// Removes sealed parts that are too old or too many.
  ///
  /// - Parameter realtime: The time now, in nanoseconds since 1970.
  /// - Throws: `StorageError`; it may be called again.
  func tidy(at realtime: Int64) throws(StorageError) {
    try sealedParts.tidy(at: realtime)
  }

  /// Does the next piece of a duty: the syncing before it, at most 256 KiB of lines, or the end.
  ///
  /// - Parameters:
  ///   - duty: What is to be sealed; always the same until it is.
  ///   - realtime: The time now, in nanoseconds since 1970.
  /// - Returns: Whether it is sealed now.
  /// - Throws: `StorageError`; it may be called again.
  func step(_ duty: SealingDuty, at realtime: Int64) throws(StorageError) -> Bool {
    guard let sealer, sealer.part == duty.part else {
      for pending in duty.before { try pending.perform(in: storage) }
      sealer = PartSealer(
        duty.part,
        channel: duty.channel,
        codec: sealing.codec,
        storage: storage
      )
      return false
    }
    guard try sealer.step() else { return false }
    if let entry = sealer.entry {
      if !sealer.isListed {
        var line = LineBuffer()
        entry.append(to: &line)
        try manifest.append(line)
        sealer.isListed = true
        sealedParts.add(entry)
      }
      try sealer.removePlain()
    }
    try tidy(at: realtime)
    self.sealer = nil
    return true
  }
}
