// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
public import IBKR
package import Transport

/// Records events into a directory of NDJSON files.
///
/// All of its work is done on three threads of its own, so that a slow disk delays nobody else, and
/// none of them waits for another: one writes, one syncs, one seals, and that one stands back where
/// the processor is wanted. A line is written at once while the disk has time for it, together with
/// others under load, and is in its file after 200 ms at most. When the disk takes nothing, no line is
/// lost or cut: events wait, by the policy in the configuration, until it does again.
///
/// The directory belongs to one recorder at a time. What other runs have recorded in it is never
/// appended to; what a crash of theirs has left is cut back to whole lines, completed from the log,
/// and sealed before this run begins, and the time in between is this run's first gap.
///
/// A part that has ended is compressed and sealed beside the writing, a small piece at a time: it is
/// in the manifest then, with its SHA-256. After ``close()`` all of them are.
public actor NDJSONFileSink: EventSink {
  private enum State {
    case unopened
    case open(RecordingWriter)
    case closed
  }

  /// What happens when the disk is slower than the stream.
  public nonisolated let overflow: OverflowPolicy

  private nonisolated let disk: EventLoop
  /// Where is waited for what a disk takes long for: for syncs, and for the sealing.
  private nonisolated let syncing: EventLoop
  private nonisolated let background: EventLoop
  private nonisolated let ownsLoops: Bool
  private let configuration: Configuration
  private let makeStorage: @Sendable () throws(StorageError) -> any Storage
  private let notify: @Sendable (Notice) -> Void

  private var state = State.unopened
  private var trouble: StorageError?
  private var writeTimer: TimerToken?
  private var synchronizeTimer: TimerToken?
  private var sealTimer: TimerToken?
  private var pace: WritePace
  private var keeper: Keeper?
  private var synchronizer: Keeper?
  private var sealing: Task<Void, Never>?
  /// A power loss may take what came in the last second: it waits for the write, then for this, and
  /// the rest of the second is for the disk.
  private static let synchronizationInterval = Duration.milliseconds(800)

  private nonisolated let board = Locked(RecordingFigures())
  private var lastSpaceCheck = Int64.min / 2
  private var isSealingFailing = false
  /// The run of another recording that is recorded again, and the time of its last event.
  private var origin: RecordedRun?
  private var lastReplayed: Int64 = 0

  /// The thread that the sink works on.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { disk.asUnownedSerialExecutor() }

  /// The same thread.
  public nonisolated var preferredExecutor: (any TaskExecutor)? { disk }

  /// Creates a sink.
  ///
  /// The directory is not touched before ``open()``, or the first event.
  ///
  /// - Parameters:
  ///   - configuration: What is recorded, where, and how safely.
  ///   - notify: Told of trouble with the disk, on the sink's thread.
  /// - Throws: `TransportError` if the system gives no thread.
  public init(
    _ configuration: Configuration,
    notify: @escaping @Sendable (Notice) -> Void = { _ in }
  ) throws {
    if let reason = configuration.codec?.unavailability {
      throw StorageError("record into", configuration.directory, reason: reason)
    }
    self.init(
      configuration,
      disk: try EventLoop(name: "disk"),
      syncing: try EventLoop(name: "sync"),
      background: try EventLoop(name: "seal", niceness: 10),
      notify: notify
    ) { () throws(StorageError) in
      try POSIXStorage(directory: configuration.directory)
    }
  }

  /// Creates a sink on a storage of the caller's.
  ///
  /// - Parameters:
  ///   - configuration: What is recorded, and how safely.
  ///   - disk: The loop that writes; the caller's if there is no other.
  ///   - syncing: The loop that syncs.
  ///   - background: The loop that seals; then all of them are the sink's.
  ///   - notify: Told of trouble with the disk.
  ///   - storage: Makes the storage.
  package init(
    _ configuration: Configuration,
    disk: EventLoop,
    syncing: EventLoop? = nil,
    background: EventLoop? = nil,
    notify: @escaping @Sendable (Notice) -> Void = { _ in },
    storage: @escaping @Sendable () throws(StorageError) -> any Storage
  ) {
    self.configuration = configuration
    self.disk = disk
    self.syncing = syncing ?? disk
    self.background = background ?? disk
    pace = WritePace(longest: configuration.writeInterval)
    ownsLoops = background != nil
    self.notify = notify
    makeStorage = storage
    overflow = configuration.overflow
  }

  deinit {
    guard ownsLoops else { return }
    disk.stop()
    syncing.stop()
    background.stop()
  }

  /// How the recorder is getting on, as of its last write.
  ///
  /// Asking waits for nothing, also while the disk does not answer.
  public nonisolated var figures: RecordingFigures { board.withLock { $0 } }

  /// Takes possession of the directory.
  ///
  /// Calling it is not needed, but tells of an unusable directory before anything else is begun.
  ///
  /// - Throws: ``StorageError`` if the directory cannot be used, or another recorder uses it.
  public func open() throws {
    _ = try writer()
  }

  /// Writes instruments into `instruments.ndjson`; their symbols name the records from now on.
  ///
  /// - Parameter instruments: What the look-up found.
  /// - Throws: ``StorageError``.
  public func learn(_ instruments: [Instrument]) throws {
    try writer().learn(instruments, at: disk.timestamp().realtime)
  }

  /// Takes the next events; they are in their files within the write interval.
  ///
  /// - Parameter batch: The events.
  /// - Throws: ``StorageError`` if the directory cannot be used; `CancellationError` if the task is
  ///   cancelled while the disk takes nothing.
  public func write(_ batch: EventBatch) async throws {
    let writer = try writer(for: batch)
    if trouble != nil { try await writeUntilDone(writer) }
    writer.append(batch)
    if origin != nil, let last = batch.records.last { lastReplayed = last.realtime }
    if writer.waitingBytes >= configuration.writeSize {
      try await writeUntilDone(writer)
    } else if origin == nil {
      // What is recorded again is written, and its parts end, where its bytes say and not the time.
      writeSoon(with: writer)
    }
  }

  /// Ends every part and begins new ones; the old are sealed by and by.
  ///
  /// - Throws: ``StorageError`` if the directory cannot be used.
  public func rotate() throws {
    let writer = try writer()
    _ = write(with: writer)
    writer.rotate()
    scheduleSealing()
  }

  /// Writes what waits and makes it survive a power loss.
  ///
  /// - Throws: `CancellationError` if the task is cancelled while the disk takes nothing.
  public func flush() async throws {
    guard case .open(let writer) = state else { return }
    try await writeUntilDone(writer)
    try writer.synchronize()
  }

  /// Writes and seals everything, and lets go of the directory.
  ///
  /// - Throws: ``StorageError`` if the disk takes nothing. It may be called again; what is not sealed
  ///   then stays as a crash would leave it.
  public func close() async throws {
    cancelTimers()
    guard case .open(let writer) = state else {
      state = .closed
      return
    }
    writer.declareLosses()
    try writer.write()
    writer.rotate()
    // It may be at work; what it has left is done here.
    while let sealing { await sealing.value }
    while let duty = try writer.nextToSeal() { try await seal(duty, of: writer) }
    guard case .open = state else { return }
    cancelTimers()
    try writer.end(at: origin == nil ? disk.timestamp().realtime : lastReplayed)
    state = .closed
  }

  /// The writer of the run that events belong to: the sink's own, or the recorded one that they come
  /// from.
  private func writer(for batch: EventBatch) throws(StorageError) -> RecordingWriter {
    guard let origin = batch.origin as? RecordedRun else { return try writer() }
    if case .open(let writer) = state {
      if self.origin === origin { return writer }
      cancelTimers()
      try writer.end(at: lastReplayed)
    }
    state = .unopened
    self.origin = origin
    var run = origin.record
    (run.end, run.ending, run.last, run.lastSeq) = (nil, nil, nil, nil)
    return try begin(run, of: origin)
  }

  private func writer() throws(StorageError) -> RecordingWriter {
    switch state {
    case .open(let writer): return writer
    case .closed:
      throw StorageError("write", configuration.directory, reason: "the recording is closed")
    case .unopened: break
    }
    let now = disk.timestamp()
    var run = try RunRecord(startingAt: now.realtime, tool: configuration.tool)
    run.startMonotonic = now.monotonic
    run.purpose = configuration.purpose
    run.layout = LineLayout(partition: configuration.partition, time: configuration.timeFormat)
    run.configuration = configuration.settings.sorted { $0.key < $1.key }
      .map { (name: $0.key, value: $0.value) }
    return try begin(run, of: nil)
  }

  private func begin(
    _ run: RunRecord,
    of origin: RecordedRun?
  ) throws(StorageError) -> RecordingWriter {
    let storage = try makeStorage()
    let writer = try RecordingWriter(
      storage: storage,
      channels: configuration.channels,
      keepsAccounts: configuration.keepsAccounts,
      sealing: sealingRules,
      run: run,
      origin: origin
    )
    try LoadScripts(time: configuration.timeFormat).write(to: storage)
    keeper = Keeper(on: background, storage, sealing: sealingRules)
    synchronizer = Keeper(on: syncing, storage, sealing: sealingRules)
    state = .open(writer)
    return writer
  }

  private var sealingRules: RecordingWriter.Sealing {
    RecordingWriter.Sealing(
      rotation: configuration.rotation,
      codec: configuration.codec,
      retention: configuration.retention
    )
  }

  // MARK: - Writing

  /// Writes what waits, or sees to it that it is written soon if the last write was just now.
  private func writeSoon(with writer: RecordingWriter) {
    guard writeTimer == nil else { return }
    guard disk.now >= pace.next else { return scheduleWrite(at: pace.next) }
    writeOrTryAgain(with: writer)
  }

  /// Writes, again and again if need be; the caller's events wait meanwhile.
  private func writeUntilDone(_ writer: RecordingWriter) async throws {
    while !write(with: writer) {
      // A directory that is gone does not come back by itself; everything else may.
      if let trouble, trouble.code == .missing { throw trouble }
      try await disk.sleep(for: .seconds(1))
    }
  }

  /// Tries to write what waits; says when it stops working and when it works again.
  private func write(with writer: RecordingWriter) -> Bool {
    cancelWrite()
    do throws(StorageError) {
      try checkSpace(writer)
      let begun = disk.now
      try writer.write()
      pace.wrote(from: begun, to: disk.now)
      if origin == nil { scheduleSealing() } else { while try writer.sealOn(at: lastReplayed) {} }
      switch configuration.synchronization {
      case .never: break
      case .everySecond: scheduleSynchronization()
      case .batch: try writer.synchronize()
      }
    } catch {
      if trouble == nil { notify(.failed(error)) }
      trouble = error
      note(writer)
      return false
    }
    if trouble != nil { notify(.recovered) }
    trouble = nil
    note(writer)
    return true
  }

  private func note(_ writer: RecordingWriter) {
    board.withLock { figures in
      writer.note(in: &figures)
      figures.failure = trouble
    }
  }

  /// Sees to it that the disk is not filled to the brim: others need it as well.
  private func checkSpace(_ writer: RecordingWriter) throws(StorageError) {
    guard configuration.minimumFree > 0,
      trouble != nil || disk.now >= lastSpaceCheck + 1_000_000_000
    else { return }
    let free = try writer.freeByteCount()
    lastSpaceCheck = disk.now
    board.withLock { $0.freeBytes = free }
    if free < configuration.minimumFree {
      throw StorageError(lowSpaceOn: configuration.directory, free: free)
    }
  }

  private func scheduleSealing() {
    guard sealing == nil, sealTimer == nil, case .open(let writer) = state, writer.hasToSeal else {
      return
    }
    sealing = Task { await sealEverything() }
  }

  /// Has sealed what has ended, while this thread goes on writing.
  private func sealEverything() async {
    defer { sealing = nil }
    guard case .open(let writer) = state else { return }
    do {
      while let duty = try writer.nextToSeal() { try await seal(duty, of: writer) }
      isSealingFailing = false
    } catch {
      if !isSealingFailing { notify(.sealingFailed(error)) }
      isSealingFailing = true
      sealTimer = disk.schedule(at: disk.deadline(after: .seconds(10))) { [weak self] in
        self?.assumeIsolated { $0.sealAgain() }
      }
    }
  }

  private func sealAgain() {
    sealTimer = nil
    scheduleSealing()
  }

  private func seal(
    _ duty: SealingDuty,
    of writer: RecordingWriter
  ) async throws(StorageError) {
    guard let keeper else { return }
    while try await !keeper.step(duty) {}
    writer.didSeal(duty)
    board.withLock { $0.sealedParts += 1 }
  }

  private func scheduleWrite(at deadline: Int64) {
    guard writeTimer == nil else { return }
    writeTimer = disk.schedule(at: deadline) { [weak self] in
      self?.assumeIsolated { $0.writeIsDue() }
    }
  }

  private func writeIsDue() {
    writeTimer = nil
    guard case .open(let writer) = state else { return }
    writeOrTryAgain(with: writer)
  }

  private func writeOrTryAgain(with writer: RecordingWriter) {
    if !write(with: writer) { scheduleWrite(at: disk.deadline(after: .seconds(1))) }
  }

  private func scheduleSynchronization() {
    guard synchronizeTimer == nil else { return }
    let deadline = disk.deadline(after: Self.synchronizationInterval)
    synchronizeTimer = disk.schedule(at: deadline) { [weak self] in
      self?.assumeIsolated { $0.synchronizationIsDue() }
    }
  }

  private func synchronizationIsDue() {
    synchronizeTimer = nil
    guard case .open(let writer) = state else { return }
    let pending = writer.pendingOfLog
    guard !pending.isEmpty else { return }
    Task { await synchronize(pending) }
  }

  /// Has something made safe, while this thread goes on writing.
  private func synchronize(_ pending: [PendingSync]) async {
    guard case .open(let writer) = state, let synchronizer else { return }
    do {
      try await synchronizer.synchronize(pending)
      writer.didSynchronize(pending)
    } catch {
      if trouble == nil { notify(.failed(error)) }
      trouble = error
      scheduleSynchronization()
    }
  }

  private func cancelWrite() {
    if let writeTimer { disk.cancel(writeTimer) }
    writeTimer = nil
  }

  private func cancelTimers() {
    cancelWrite()
    if let synchronizeTimer { disk.cancel(synchronizeTimer) }
    synchronizeTimer = nil
    if let sealTimer { disk.cancel(sealTimer) }
    sealTimer = nil
  }
}
