// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Turns events into the lines and files of one run.
///
/// It knows no thread, no timer and no clock: lines are made by `append`, reach the disk by
/// `write`, and survive a power loss after `synchronize`; parts that have ended are sealed by
/// `sealOn`, a piece at a time. The sink decides when.
final class RecordingWriter {
  /// What becomes of parts that have ended.
  struct Sealing {
    /// When a part ends, besides midnight.
    var rotation = Rotation()
    /// Whether sealed parts are compressed.
    var compresses = true
    /// How long sealed parts are kept.
    var retention = Retention()
  }

  private let storage: any Storage
  private var run: RunRecord
  private let lock: any StorageLock
  private let parts: PartSet
  private let manifest: LedgerFile
  private let instruments: LedgerFile
  private let sealedParts: SealedParts
  private let sealing: Sealing

  private let encoder: EventEncoder
  private let down: DownTime?
  private var sealer: PartSealer?

  /// How many bytes of lines have not been written.
  private(set) var waitingBytes = 0

  /// Begins a run: locks the directory, finishes what crashed runs have left in it, and writes the
  /// run's record.
  ///
  /// The time since the last record of the run before is the new run's first gap.
  ///
  /// - Parameters:
  ///   - storage: The recording.
  ///   - channels: Which channels to write.
  ///   - keepsAccounts: Whether account ids stay as they are.
  ///   - sealing: What becomes of parts that have ended.
  ///   - run: What is known of the run.
  /// - Throws: `StorageError`; `.inUse` if another recorder is writing here.
  init(
    storage: any Storage,
    channels: Set<Channel>,
    keepsAccounts: Bool,
    sealing: Sealing = Sealing(),
    run: RunRecord
  ) throws(StorageError) {
    var run = run
    run.channels = channels
    lock = try storage.lock()
    manifest = LedgerFile(Manifest.path, storage: storage)
    let startUp = StartUp(storage: storage, manifest: manifest, compresses: sealing.compresses)
    down = DownTime(after: try startUp.finishRuns(), before: run)
    try run.write(to: storage)
    instruments = LedgerFile("instruments.ndjson", storage: storage)
    sealedParts = SealedParts(
      sealing.retention.keepsAll ? Manifest() : try Manifest(of: storage),
      retention: sealing.retention,
      storage: storage,
      manifest: manifest
    )
    parts = PartSet(run: run.run, storage: storage, rotation: sealing.rotation)
    encoder = EventEncoder(run: run.run, channels: channels, keepsAccounts: keepsAccounts)
    self.storage = storage
    self.run = run
    self.sealing = sealing
    try sealedParts.tidy(at: run.start)
    guard let down else { return }
    waitingBytes += encoder.append(down, to: parts)
    try write()
    try synchronize()
  }

  /// How many bytes may still be written to the disk.
  ///
  /// - Returns: The number.
  /// - Throws: `StorageError`.
  func freeByteCount() throws(StorageError) -> Int { try storage.freeByteCount() }

  /// Learns instruments, and writes them down.
  ///
  /// - Parameters:
  ///   - found: The instruments.
  ///   - realtime: When they were looked up, in nanoseconds since 1970.
  /// - Throws: `StorageError`.
  func learn(_ found: [Instrument], at realtime: Int64) throws(StorageError) {
    var lines = LineBuffer()
    for instrument in found {
      encoder.learn(instrument)
      instrument.appendLine(run: run.run, realtime: realtime, to: &lines)
    }
    try instruments.append(lines)
  }

  /// Makes the lines of some events; nothing is written yet.
  func append(_ batch: EventBatch) {
    waitingBytes += encoder.append(batch, to: parts)
  }

  /// Writes the lines that wait, and ends the parts whose time has come.
  ///
  /// - Throws: `StorageError`; what could not be written still waits, whole.
  func write() throws(StorageError) {
    try parts.write()
    waitingBytes = 0
  }

  /// Makes what was written to the log survive a power loss.
  ///
  /// - Throws: `StorageError`.
  func synchronize() throws(StorageError) {
    try parts.synchronizeLog()
  }

  /// Ends every part; they are sealed by and by.
  func rotate() {
    parts.finishAll()
  }

  /// Ends the run: everything is written and sealed, and its record says so.
  ///
  /// - Parameter realtime: The time now, in nanoseconds since 1970.
  /// - Throws: `StorageError`; it may be called again.
  func end(at realtime: Int64) throws(StorageError) {
    try write()
    parts.finishAll()
    while try sealOn(at: realtime) {}
    run.end = realtime
    run.ending = .well
    run.last = encoder.lastRecord(after: down)
    run.lastSeq = run.last?.seq
    try run.write(to: storage)
  }

  // MARK: - Sealing

  /// Whether there is anything to seal.
  var hasToSeal: Bool { parts.hasFinished }

  /// Does the next piece of sealing: at most 256 KiB of lines.
  ///
  /// - Parameter realtime: The time now, in nanoseconds since 1970.
  /// - Returns: Whether there is more to do.
  /// - Throws: `StorageError`; it may be called again.
  func sealOn(at realtime: Int64) throws(StorageError) -> Bool {
    if sealer == nil {
      guard let (part, channel) = try parts.nextToSeal() else { return false }
      waitingBytes = 0
      sealer = PartSealer(
        part,
        channel: channel,
        compresses: sealing.compresses,
        storage: storage
      )
    }
    guard let sealer else { return false }
    guard try sealer.step() else { return true }
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
    parts.removeSealed()
    self.sealer = nil
    try sealedParts.tidy(at: realtime)
    return parts.hasFinished
  }
}
