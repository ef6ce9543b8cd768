// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// The parts that a run is writing: one for the log, one for each other channel, and for channels
/// partitioned by symbol one for each instrument.
///
/// A part is replaced when the day changes, when it is as large or as old as it may become, and when
/// somebody asks. Of the parts that are not the log only so many are open at a time; the descriptors
/// of those that were not written to for longest are given back.
final class PartSet: LineSheets {
  private struct Key: Hashable {
    let channel: Channel
    let symbol: String?
  }

  private let run: RunID
  private let storage: any Storage
  private let rotation: Rotation
  private let maximumOpen: Int
  private let tally = WriteTally()
  private var parts: [Key: PartFile] = [:]
  private var log: PartFile?
  /// The number of the last part in each folder.
  private var numbers: [PartPath: Int] = [:]
  private var writes: UInt64 = 0
  /// Another one whenever parts have been written or retired: those that get lines again are touched.
  private(set) var generation: UInt64 = 1
  /// The day of the last line.
  private var today: UTCDate?
  /// The day at which all parts were last looked at.
  private var lookedAt: UTCDate?
  /// The parts that may have got lines since the last write: of a thousand parts a few.
  private var touched: [PartFile] = []
  /// Parts that get no more lines, but have some that may not be in the file yet.
  private var finished: [PartFile] = []

  init(
    run: RunID,
    storage: any Storage,
    rotation: Rotation = Rotation(),
    maximumOpen: Int = 256
  ) {
    self.run = run
    self.storage = storage
    self.rotation = rotation
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
      if part.date.contains(realtime) { return touching(part) }
      retire(part)
    }
    let place = PartPath(channel: channel, date: UTCDate(realtime: realtime), symbol: symbol)
    today = place.date
    let number = (numbers[place] ?? 0) + 1
    numbers[place] = number
    let part = PartFile(place, number: number, run: run, storage: storage, tally: tally)
    parts[key] = part
    if channel == .raw { log = part }
    return touching(part)
  }

  /// Notes that a part may get lines.
  private func touching(_ part: PartFile) -> PartFile {
    guard !part.isTouched else { return part }
    part.isTouched = true
    touched.append(part)
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
    generation += 1
    for part in touched where !part.sheet.lines.isEmpty {
      if !part.isOpen { closeOldest() }
      try part.write(count: writes)
    }
    rotate()
    for part in touched { part.isTouched = false }
    touched.removeAll(keepingCapacity: true)
  }

  /// What a power loss would take of the log.
  var pendingOfLog: [PendingSync] {
    (finished.filter { $0.channel == .raw } + [log].compactMap(\.self)).compactMap(\.pendingSync)
  }

  /// Notes what was made safe.
  func didSynchronize(_ done: [PendingSync]) {
    let done = Dictionary(done.map { ($0.path, $0) }) { $1 }
    for part in finished + parts.values {
      if let done = done[part.path] { part.didSynchronize(done) }
    }
  }

  /// What has been written so far, by channel.
  var written: [Channel: RecordingFigures.Written] { tally.written }

  /// How many parts get lines now.
  var count: Int { parts.count }

  // MARK: - Rotation

  /// Whether there are parts to be sealed.
  var hasFinished: Bool { !finished.isEmpty }

  /// The next part to be sealed; all of its lines are in the file.
  ///
  /// Whatever is sealed, the log is safe up to there; and when a part of the log is sealed,
  /// everything that follows from its lines is safe. So after a crash only what follows from the
  /// unsealed parts of the log has to be looked for.
  ///
  /// - Returns: The part, and what is to be made safe before, nil if there is none.
  /// - Throws: `StorageError`; it may be called again.
  func nextToSeal() throws(StorageError) -> SealingDuty? {
    while let part = finished.first {
      try write()
      guard let name = part.name else {
        finished.removeFirst()
        continue
      }
      var before = pendingOfLog
      if part.channel == .raw {
        let others = (finished + parts.values).filter { $0.channel != .raw }
        before += others.compactMap(\.pendingSync)
      } else if let own = part.pendingSync {
        before.append(own)
      }
      part.closeFile()
      return SealingDuty(part: name, channel: part.channel, before: before)
    }
    return nil
  }

  /// Forgets a part that `nextToSeal` gave, and that is sealed.
  func didSeal(_ duty: SealingDuty) {
    didSynchronize(duty.before)
    if finished.first?.name == duty.part { finished.removeFirst() }
  }

  /// Ends every part, the log first: later lines go to new ones.
  func finishAll() {
    if let log { retire(log) }
    log = nil
    parts.removeValue(forKey: Key(channel: .raw, symbol: nil))
    for part in parts.values.sorted(by: { $0.path < $1.path }) { retire(part) }
    parts = [:]
  }

  private func retire(_ part: PartFile) {
    generation += 1
    finished.append(part)
    // It may have gone on to another number, when somebody removed its file.
    numbers[part.place] = max(numbers[part.place] ?? 0, part.number)
  }

  /// Ends the parts that are full, or old, or of another day.
  private func rotate() {
    if let log, isDue(log) { end(log) }
    // Only what has got lines can be full or old; of another day are all at once.
    for part in touched where isDue(part) { end(part) }
    guard lookedAt != today else { return }
    lookedAt = today
    for part in parts.values where isDue(part) { end(part) }
  }

  private func end(_ part: PartFile) {
    let key = Key(channel: part.channel, symbol: part.place.symbol)
    // One that was retired has a successor under its key, or none.
    guard parts[key] === part else { return }
    retire(part)
    parts.removeValue(forKey: key)
    if part.channel == .raw { log = nil }
  }

  private func isDue(_ part: PartFile) -> Bool {
    if let today, part.date.day < today.day { return true }
    guard let time = part.sheet.time else { return false }
    return part.byteCount >= rotation.size ?? .max
      || time.upperBound - time.lowerBound >= rotation.nanoseconds ?? .max
  }

  private func closeOldest() {
    let open = parts.values.filter { $0.isOpen && $0.channel != .raw }
    guard open.count >= maximumOpen else { return }
    open.min { $0.lastWrite < $1.lastWrite }?.closeFile()
  }
}
