// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Turns events into the lines and files of one run.
///
/// It knows no thread, no timer and no clock: lines are made by `append`, reach the disk by
/// `write`, and survive a power loss after `synchronize`; the sink decides when.
final class RecordingWriter {
  private let storage: any Storage
  private var run: RunRecord
  private let lock: any StorageLock
  private let parts: PartSet
  private let manifest: LedgerFile
  private let instruments: LedgerFile

  private let encoder: EventEncoder
  private var sealed: [ManifestEntry] = []

  /// How many bytes of lines have not been written.
  private(set) var waitingBytes = 0

  /// Begins a run: locks the directory and writes the run's record.
  ///
  /// What other runs have left in the directory is not touched.
  ///
  /// - Parameters:
  ///   - storage: The recording.
  ///   - channels: Which channels to write.
  ///   - keepsAccounts: Whether account ids stay as they are.
  ///   - run: What is known of the run.
  /// - Throws: `StorageError`; `.inUse` if another recorder is writing here.
  init(
    storage: any Storage,
    channels: Set<Channel>,
    keepsAccounts: Bool,
    run: RunRecord
  ) throws(StorageError) {
    self.storage = storage
    self.run = run
    lock = try storage.lock()
    try run.write(to: storage)
    parts = PartSet(run: run.run, storage: storage)
    manifest = LedgerFile("_manifest.ndjson", storage: storage)
    instruments = LedgerFile("instruments.ndjson", storage: storage)
    encoder = EventEncoder(run: run.run, channels: channels, keepsAccounts: keepsAccounts)
  }

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

  /// Writes the lines that wait, and seals the parts whose day is over.
  ///
  /// - Throws: `StorageError`; what could not be written still waits, whole.
  func write() throws(StorageError) {
    try parts.write()
    waitingBytes = 0
    try seal()
  }

  /// Makes what was written to the log survive a power loss.
  ///
  /// - Throws: `StorageError`.
  func synchronize() throws(StorageError) {
    try parts.synchronizeLog()
  }

  /// Ends the run: everything is written and sealed, and its record says so.
  ///
  /// - Parameter realtime: The time now, in nanoseconds since 1970.
  /// - Throws: `StorageError`; it may be called again.
  func end(at realtime: Int64) throws(StorageError) {
    try parts.write()
    waitingBytes = 0
    parts.finishAll()
    try seal()
    run.end = realtime
    run.lastSeq = encoder.lastSeq
    try run.write(to: storage)
  }

  private func seal() throws(StorageError) {
    sealed += try parts.sealFinished()
    guard !sealed.isEmpty else { return }
    var lines = LineBuffer()
    for entry in sealed { entry.append(to: &lines) }
    try manifest.append(lines)
    sealed = []
  }
}
