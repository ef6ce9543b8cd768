// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// The parts that a run is writing: one for the log, one for each other channel, and for channels
/// partitioned by symbol one for each instrument.
///
/// A part is replaced when the day changes. Of the parts that are not the log only so many are open
/// at a time; the descriptors of those that were not written to for longest are given back.
final class PartSet: LineSheets {
  private struct Key: Hashable {
    let channel: Channel
    let symbol: String?
  }

  private let run: RunID
  private let storage: any Storage
  private let maximumOpen: Int
  private var parts: [Key: PartFile] = [:]
  private var log: PartFile?
  /// The number of the last part in each folder.
  private var numbers: [PartPath: Int] = [:]
  private var writes: UInt64 = 0
  /// Parts whose day is over, with lines that may not be in the file yet.
  private var finished: [PartFile] = []

  init(run: RunID, storage: any Storage, maximumOpen: Int = 256) {
    self.run = run
    self.storage = storage
    self.maximumOpen = maximumOpen
  }

  /// The part that a line belongs to.
  ///
  /// - Parameters:
  ///   - channel: The line's channel.
  ///   - symbol: The instrument's name, for channels with a folder for each.
  ///   - realtime: The line's `ts_recv`.
  /// - Returns: The part; its file may not exist yet.
  func part(_ channel: Channel, symbol: String? = nil, at realtime: Int64) -> PartFile {
    // Every message is a line of the log: its part is found without a look-up.
    if channel == .raw, let log, log.date.contains(realtime) { return log }
    let key = Key(channel: channel, symbol: symbol)
    if let part = parts[key] {
      if part.date.contains(realtime) { return part }
      finished.append(part)
    }
    let place = PartPath(channel: channel, date: UTCDate(realtime: realtime), symbol: symbol)
    let number = (numbers[place] ?? 0) + 1
    numbers[place] = number
    let part = PartFile(place, number: number, run: run, storage: storage)
    parts[key] = part
    if channel == .raw { log = part }
    return part
  }

  func sheet(_ channel: Channel, symbol: String?, at realtime: Int64) -> LineSheet {
    part(channel, symbol: symbol, at: realtime).sheet
  }

  /// Writes what waits, the log before everything else.
  ///
  /// - Throws: `StorageError`, at the first part that cannot be written; what was not written still
  ///   waits.
  func write() throws(StorageError) {
    for part in finished where part.channel == .raw { try part.write() }
    try log?.write()
    for part in finished { try part.write() }
    writes += 1
    for part in parts.values where !part.sheet.lines.isEmpty {
      if !part.isOpen { closeOldest() }
      try part.write(count: writes)
    }
  }

  /// Makes the log survive a power loss.
  ///
  /// - Throws: `StorageError`.
  func synchronizeLog() throws(StorageError) {
    for part in finished where part.channel == .raw { try part.synchronize() }
    try log?.synchronize()
  }

  /// Seals the parts whose day is over.
  ///
  /// - Returns: Their entries for the manifest.
  /// - Throws: `StorageError`; the parts from the failing one on are tried again next time.
  func sealFinished() throws(StorageError) -> [ManifestEntry] {
    var entries: [ManifestEntry] = []
    while let part = finished.first {
      do throws(StorageError) {
        if let entry = try part.seal() { entries.append(entry) }
      } catch {
        // Those that are sealed must reach the manifest all the same.
        if entries.isEmpty { throw error }
        return entries
      }
      finished.removeFirst()
    }
    return entries
  }

  /// Ends every part's day, so that the next sealing seals them all: the log first.
  func finishAll() {
    if let log { finished.append(log) }
    log = nil
    parts.removeValue(forKey: Key(channel: .raw, symbol: nil))
    finished += parts.values.sorted { $0.path < $1.path }
    parts = [:]
  }

  private func closeOldest() {
    let open = parts.values.filter { $0.isOpen && $0.channel != .raw }
    guard open.count >= maximumOpen else { return }
    open.min { $0.lastWrite < $1.lastWrite }?.closeFile()
  }
}
