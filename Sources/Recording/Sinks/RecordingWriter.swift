// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import IBKR

/// Turns events into the lines and files of one run.
///
/// It knows no thread, no timer and no clock: lines are made by `append`, reach the disk by
/// `write`, and survive a power loss after `synchronize`. Parts that have ended are sealed by
/// whoever takes the duties; `sealOn` does it here, a piece at a time. The sink decides when.
final class RecordingWriter {
  /// What becomes of parts that have ended.
  struct Sealing: Sendable {
    /// When a part ends, besides midnight.
    var rotation = Rotation()
    /// How sealed parts are compressed; nil if they are not.
    var codec: PartCodec? = .gzip
    /// How long sealed parts are kept.
    var retention = Retention()
  }

  private let storage: any Storage
  private var run: RunRecord
  private let lock: any StorageLock
  private let parts: PartSet
  private let instruments: LedgerFile
  private let sealing: Sealing

  private let encoder: EventEncoder
  private let origin: RecordedRun?
  private let down: DownTime?
  private var duty: SealingDuty?
  private var upkeep: Upkeep?

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
  ///   - origin: The run of another recording that is recorded again, if it is none of its own.
  /// - Throws: `StorageError`; `.inUse` if another recorder is writing here, `.exists` if the run
  ///   that is to be recorded again is here already.
  init(
    storage: any Storage,
    channels: Set<Channel>,
    keepsAccounts: Bool,
    sealing: Sealing = Sealing(),
    run: RunRecord,
    origin: RecordedRun? = nil
  ) throws(StorageError) {
    var run = run
    run.channels = channels
    lock = try storage.lock()
    if origin != nil { try Self.check(run, isNotIn: storage) }
    let manifest = LedgerFile(Manifest.path, storage: storage)
    let startUp = StartUp(storage: storage, manifest: manifest, codec: sealing.codec)
    let previous = try startUp.finishRuns()
    if let previous, previous.layout.time != run.layout.time {
      // One column of two types is what no reader of tables can load.
      throw StorageError(
        "record",
        "into the directory",
        reason: "its times are written as '\(previous.layout.time.rawValue)' and not as "
          + "'\(run.layout.time.rawValue)'; record with --time \(previous.layout.time.rawValue), "
          + "or into another directory"
      )
    }
    down =
      switch (origin, run.purpose) {
      case (let origin?, _): origin.down
      case (nil, .record): DownTime(after: previous, before: run)
      // It records nothing that could be missing: the time goes on until somebody does.
      case (nil, .backfill): nil
      }
    self.origin = origin
    try run.write(to: storage)
    instruments = LedgerFile("instruments.ndjson", storage: storage)
    parts = PartSet(run: run.run, storage: storage, rotation: sealing.rotation)
    encoder =
      if let origin {
        try EventEncoder(replaying: origin, channels: channels, layout: run.layout)
      } else {
        EventEncoder(
          run: run.run,
          channels: channels,
          keepsAccounts: keepsAccounts,
          layout: run.layout
        )
      }
    self.storage = storage
    self.run = run
    self.sealing = sealing
    if !sealing.retention.keepsAll { try Upkeep(storage, sealing: sealing).tidy(at: run.start) }
    if let origin {
      var lines = LineBuffer()
      lines.append(contentsOf: origin.instrumentLines)
      try instruments.append(lines)
    }
    guard let down else { return }
    waitingBytes += encoder.append(down, to: parts)
    try write()
    try synchronize()
  }

  /// A run that is recorded again has its old name, and there can only be one of that name.
  private static func check(
    _ run: RunRecord,
    isNotIn storage: any Storage
  ) throws(StorageError) {
    guard try storage.list("runs").contains("\(run.run).json") else { return }
    throw StorageError("create", run.path, number: EEXIST)
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

  /// Declares what was lost on the way here and nothing has come after: the run ends.
  func declareLosses() {
    waitingBytes += encoder.finish(to: parts)
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
    let pending = parts.pendingOfLog
    for pending in pending { try pending.perform(in: storage) }
    parts.didSynchronize(pending)
  }

  /// Brings figures up to date with what was written.
  func note(in figures: inout RecordingFigures) {
    figures.written = parts.written
    figures.waitingBytes = waitingBytes
    figures.openParts = parts.count
  }

  /// What a power loss would take of the log.
  var pendingOfLog: [PendingSync] { parts.pendingOfLog }

  /// Notes what somebody else has made safe.
  func didSynchronize(_ done: [PendingSync]) {
    parts.didSynchronize(done)
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
    declareLosses()
    try write()
    parts.finishAll()
    while try sealOn(at: realtime) {}
    run.end = origin?.record.end ?? realtime
    run.ending = .well
    run.last = encoder.lastRecord(after: down)
    run.lastSeq = run.last?.seq
    try run.write(to: storage)
  }

  // MARK: - Sealing

  /// Whether there is anything to seal.
  var hasToSeal: Bool { parts.hasFinished }

  /// The next part to be sealed; everything that waits is written before.
  ///
  /// - Returns: The duty, nil if there is none.
  /// - Throws: `StorageError`; it may be called again.
  func nextToSeal() throws(StorageError) -> SealingDuty? {
    guard let next = try parts.nextToSeal() else { return nil }
    waitingBytes = 0
    return next
  }

  /// Notes that somebody has done a duty.
  func didSeal(_ duty: SealingDuty) {
    parts.didSeal(duty)
  }

  /// Does the next piece of sealing.
  ///
  /// - Parameter realtime: The time now, in nanoseconds since 1970.
  /// - Returns: Whether there is more to do.
  /// - Throws: `StorageError`; it may be called again.
  func sealOn(at realtime: Int64) throws(StorageError) -> Bool {
    guard let next = if let duty { duty } else { try nextToSeal() } else { return false }
    duty = next
    let upkeep = if let upkeep { upkeep } else { try Upkeep(storage, sealing: sealing) }
    self.upkeep = upkeep
    guard try upkeep.step(next, at: realtime) else { return true }
    didSeal(next)
    duty = nil
    return hasToSeal
  }
}
