// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
public import IBKR
package import Transport

/// Records events into a directory of NDJSON files.
///
/// All of its work is done on a thread of its own, so that a slow disk delays nobody else. A line
/// is in its file after 200 ms at most. When the disk takes nothing, no line is lost or cut: events
/// wait, by the policy in the configuration, until it does again.
///
/// The directory belongs to one recorder at a time, and what other runs have left in it is never
/// changed or appended to. After ``close()`` every part is sealed: it is in the manifest, with its
/// SHA-256.
public actor NDJSONFileSink: EventSink {
  private enum State {
    case unopened
    case open(RecordingWriter)
    case closed
  }

  /// What happens when the disk is slower than the stream.
  public nonisolated let overflow: OverflowPolicy

  private nonisolated let disk: EventLoop
  private nonisolated let ownsLoop: Bool
  private let configuration: Configuration
  private let makeStorage: @Sendable () throws(StorageError) -> any Storage
  private let notify: @Sendable (Notice) -> Void

  private var state = State.unopened
  private var trouble: StorageError?
  private var writeTimer: TimerToken?
  private var synchronizeTimer: TimerToken?

  /// The thread that the sink works on.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { disk.asUnownedSerialExecutor() }

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
    self.init(
      configuration,
      disk: try EventLoop(name: "disk"),
      ownsLoop: true,
      notify: notify
    ) { () throws(StorageError) in
      try POSIXStorage(directory: configuration.directory)
    }
  }

  /// Creates a sink on a loop and a storage of the caller's.
  package init(
    _ configuration: Configuration,
    disk: EventLoop,
    ownsLoop: Bool = false,
    notify: @escaping @Sendable (Notice) -> Void = { _ in },
    storage: @escaping @Sendable () throws(StorageError) -> any Storage
  ) {
    self.configuration = configuration
    self.disk = disk
    self.ownsLoop = ownsLoop
    self.notify = notify
    makeStorage = storage
    overflow = configuration.overflow
  }

  deinit {
    if ownsLoop { disk.stop() }
  }

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
    let writer = try writer()
    if trouble != nil { try await writeUntilDone(writer) }
    writer.append(batch)
    if writer.waitingBytes >= configuration.writeSize {
      try await writeUntilDone(writer)
    } else {
      scheduleWrite()
    }
  }

  /// Writes what waits and makes it survive a power loss.
  ///
  /// - Throws: `CancellationError` if the task is cancelled while the disk takes nothing.
  public func flush() async throws {
    guard case .open(let writer) = state else { return }
    try await writeUntilDone(writer)
    cancelTimers()
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
    try writer.end(at: disk.timestamp().realtime)
    state = .closed
  }

  private func writer() throws(StorageError) -> RecordingWriter {
    switch state {
    case .open(let writer): return writer
    case .closed:
      throw StorageError("write", configuration.directory, reason: "the recording is closed")
    case .unopened: break
    }
    let now = disk.timestamp().realtime
    var run = try RunRecord(startingAt: now, tool: configuration.tool)
    run.configuration = configuration.settings.sorted { $0.key < $1.key }
      .map { (name: $0.key, value: $0.value) }
    let writer = try RecordingWriter(
      storage: try makeStorage(),
      channels: configuration.channels,
      keepsAccounts: configuration.keepsAccounts,
      run: run
    )
    state = .open(writer)
    return writer
  }

  // MARK: - Writing

  /// Writes, again and again if need be; the caller's events wait meanwhile.
  private func writeUntilDone(_ writer: RecordingWriter) async throws {
    while !write(with: writer) {
      try await disk.sleep(for: .seconds(1))
    }
  }

  /// Tries to write what waits; says when it stops working and when it works again.
  private func write(with writer: RecordingWriter) -> Bool {
    cancelWrite()
    do throws(StorageError) {
      try writer.write()
      switch configuration.synchronization {
      case .never: break
      case .everySecond: scheduleSynchronization()
      case .batch: try writer.synchronize()
      }
    } catch {
      if trouble == nil { notify(.failed(error)) }
      trouble = error
      return false
    }
    if trouble != nil { notify(.recovered) }
    trouble = nil
    return true
  }

  private func scheduleWrite(after interval: Duration? = nil) {
    guard writeTimer == nil else { return }
    let deadline = disk.deadline(after: interval ?? configuration.writeInterval)
    writeTimer = disk.schedule(at: deadline) { [weak self] in
      self?.assumeIsolated { $0.writeIsDue() }
    }
  }

  private func writeIsDue() {
    writeTimer = nil
    guard case .open(let writer) = state else { return }
    if !write(with: writer) { scheduleWrite(after: .seconds(1)) }
  }

  private func scheduleSynchronization() {
    guard synchronizeTimer == nil else { return }
    synchronizeTimer = disk.schedule(at: disk.deadline(after: .seconds(1))) { [weak self] in
      self?.assumeIsolated { $0.synchronizationIsDue() }
    }
  }

  private func synchronizationIsDue() {
    synchronizeTimer = nil
    guard case .open(let writer) = state else { return }
    do {
      try writer.synchronize()
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
  }
}
