// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import JSON

/// A run that ended in the middle, and how it is brought to an end afterwards.
///
/// Its drafts are removed, its open parts cut back to whole lines, what is missing of the typed
/// channels is written again from the log, and everything is sealed: the log last, because a sealed
/// log says that all that follows from it is there. Then its record is completed. Whatever moment
/// the next crash comes at, doing it all again comes to the same end.
final class DeadRun {
  private var record: RunRecord
  private let storage: any Storage
  private let ledger: LedgerFile
  private let codec: PartCodec?
  private let checksEverything: Bool
  private let entries: [String: ManifestEntry]
  /// Whether parts of the log were removed because they were old or many.
  private let hasLostParts: Bool

  /// Twenty minutes: subscriptions are renewed within ten (the server ends them after that), and
  /// with the renewal their quotes begin anew.
  private static let lookBack: Int64 = 1_200_000_000_000
  private static let day: Int64 = 86_400_000_000_000

  /// Names a run.
  ///
  /// - Parameters:
  ///   - record: Its record.
  ///   - storage: The recording.
  ///   - manifest: What the manifest says.
  ///   - ledger: The manifest, to write to.
  ///   - codec: How sealed parts are compressed; nil if they are not.
  ///   - checksEverything: Whether typed lines are looked for in all of the run, and not just from
  ///     where the log was sealed last.
  init(
    _ record: RunRecord,
    storage: any Storage,
    manifest: Manifest,
    ledger: LedgerFile,
    codec: PartCodec?,
    checksEverything: Bool = false
  ) {
    self.checksEverything = checksEverything
    self.record = record
    self.storage = storage
    self.ledger = ledger
    self.codec = codec
    entries = manifest.entries.filter { $0.value.run == record.run }
    hasLostParts = manifest.removals.keys.contains { path in
      PartName(path).map { $0.run == record.run && $0.channel == .raw } ?? false
    }
  }

  /// Brings the run to its end.
  ///
  /// - Returns: Its completed record.
  /// - Throws: `StorageError`; it may be tried again.
  func finish() throws(StorageError) -> RunRecord {
    let (open, numbers) = try tidy()
    let sealedLog = entries.values.filter { $0.channel == .raw }
      .sorted { $0.seq.lowerBound < $1.seq.lowerBound }
    let log = try mendLog(open.filter { $0.channel == .raw }, after: sealedLog.last)
    let lastOfLog =
      hasLog ? log.last?.seq?.upperBound ?? sealedLog.last?.seq.upperBound ?? 0 : .max
    let typed = try mend(open.filter { $0.channel != .raw }, upTo: lastOfLog)
    let made = try derive(from: log, after: sealedLog, typed, numbers)
    for part in typed.map(\.part) + made + log.map(\.part) { try seal(part) }
    if !hasLog { last = Self.last(of: typed, entries.values) }
    return try complete()
  }

  /// The last record of a run that kept no log, as far as other channels tell.
  private static func last(
    of parts: [OpenPart],
    _ entries: some Collection<ManifestEntry>
  ) -> RunRecord.LastRecord? {
    let ends =
      parts.compactMap { part in part.seq.map { ($0.upperBound, part.lastTime) } }
      + entries.map { ($0.seq.upperBound, $0.time.upperBound) }
    return ends.max { $0 < $1 }.map { .init(seq: $0.0, realtime: $0.1, monotonic: 0) }
  }

  /// What there is of the lines that follow from the unsealed part of the log.
  private func present(
    _ open: [OpenPart],
    _ numbers: [String: Int],
    after complete: UInt64?
  ) throws(StorageError) -> [String: DerivedSheets.Present] {
    var present = numbers.mapValues { DerivedSheets.Present(number: $0) }
    let sealed = entries.values.filter { entry in
      entry.channel != .raw && complete.map { entry.seq.upperBound > $0 } ?? true
    }
    for path in open.map(\.part.plainPath) + sealed.map(\.path) {
      guard let name = PartName(path) else { continue }
      var rows = present[name.folder]?.rows ?? [:]
      try readIfPresent(path) { line in
        guard let seq = LineHead(line.bytes, of: record.run)?.seq else { return }
        if complete.map({ seq > $0 }) ?? true { rows[seq, default: 0] += 1 }
      }
      present[name.folder, default: .init(number: name.number)].rows = rows
    }
    return present
  }

  private var hasLog: Bool { record.channels.isEmpty || record.channels.contains(.raw) }

  // MARK: - Files

  /// Removes drafts, and plain files that are sealed already.
  ///
  /// - Returns: The parts that are still open, and the last number in each folder.
  private func tidy() throws(StorageError) -> (open: [PartName], numbers: [String: Int]) {
    // Clocks are set back, but hardly by more than a day.
    let first = UTCDate(realtime: record.start - Self.day).description
    let files = try storage.channelFiles { $0.dropFirst(5) >= first }
    let present = Set(files)
    var open: [PartName] = []
    var numbers: [String: Int] = [:]
    var touched: Set<String> = []
    for path in files {
      guard let name = PartName(path), name.run == record.run, name.channel != nil else { continue }
      numbers[name.folder] = max(numbers[name.folder] ?? 0, name.number)
      switch name.state {
      case .draft:
        try storage.remove(path)
        touched.insert(name.folder)
      case .plain:
        if name.compressedPaths.contains(where: { entries[$0] != nil && present.contains($0) }) {
          try storage.remove(path)
          touched.insert(name.folder)
        } else if entries[path] == nil {
          open.append(name)
        }
      case .compressed:
        // Not in the manifest yet, and the plain file is whole: it is sealed again.
        if entries[path] == nil, present.contains(name.plainPath) {
          try storage.remove(path)
          touched.insert(name.folder)
        }
      case .torn: break
      }
    }
    // What was removed must not come back with the next power loss, when nobody expects it.
    for folder in touched.sorted() { try storage.synchronizeFolder(folder) }
    return (open, numbers)
  }

  /// Mends the parts of the log.
  ///
  /// A power loss may take the end of one part and leave the beginning of the next: what comes
  /// behind such a hole is moved away, because nothing would declare the hole. But where a whole part
  /// is missing somebody has removed it, and `verify` says so; and where a gap of the log says that
  /// events were lost, nothing else is missing.
  ///
  /// - Returns: Those of which something is left, in the order of their lines.
  private func mendLog(
    _ parts: [PartName],
    after sealed: ManifestEntry?
  ) throws(StorageError) -> [OpenPart] {
    var found: [OpenPart] = []
    for part in parts { found.append(try OpenPart(part, storage: storage)) }
    found.sort { ($0.seq?.lowerBound ?? 0) < ($1.seq?.lowerBound ?? 0) }
    let end = found.map(\.lastTime).max() ?? 0
    var last = sealed?.seq.upperBound ?? (hasLostParts ? .max - 1 : 0)
    let known = parts + [sealed.flatMap { PartName($0.path) }].compactMap(\.self)
    for open in found {
      guard let seq = open.seq else { continue }
      // Of the part before there may be nothing left but its name.
      let follows =
        open.part.number == 1
        || known.contains { ($0.folder, $0.number + 1) == (open.part.folder, open.part.number) }
      if seq.lowerBound > last + 1,
        try !isDeclared(last + 1...seq.lowerBound - 1, in: found, after: sealed),
        follows || OpenPart.isOfCrash(open.firstTime, end: end)
      {
        return try mend(parts, upTo: last)
      }
      last = seq.upperBound
    }
    return try mend(found)
  }

  /// Whether the log says itself that events were lost.
  private func isDeclared(
    _ hole: ClosedRange<UInt64>,
    in open: [OpenPart],
    after sealed: ManifestEntry?
  ) throws(StorageError) -> Bool {
    var losses = DeclaredLosses()
    if let sealed {
      try readIfPresent(sealed.path) { line in losses.note(line.bytes, of: record.run) }
    }
    for part in open { losses.merge(part.losses) }
    return losses.contain(hole)
  }

  private func mend(
    _ parts: [PartName],
    upTo limit: UInt64 = .max
  ) throws(StorageError) -> [OpenPart] {
    var found: [OpenPart] = []
    for part in parts { found.append(try OpenPart(part, storage: storage, upTo: limit)) }
    return try mend(found)
  }

  private func mend(_ parts: [OpenPart]) throws(StorageError) -> [OpenPart] {
    var mended: [OpenPart] = []
    // The last first: should this be interrupted, the next attempt sees what this one has seen.
    for part in parts.reversed() where try part.mend(in: storage) { mended.append(part) }
    return mended.sorted { ($0.seq?.lowerBound ?? 0) < ($1.seq?.lowerBound ?? 0) }
  }

  private func seal(_ part: PartName) throws(StorageError) {
    guard let channel = part.channel else { return }
    let sealer = PartSealer(part, channel: channel, codec: codec, storage: storage)
    while try !sealer.step() {}
    guard let entry = sealer.entry else { return }
    var line = LineBuffer()
    entry.append(to: &line)
    try ledger.append(line)
    try sealer.removePlain()
  }

  // MARK: - What follows from the log

  private var last: RunRecord.LastRecord?

  /// Writes the typed lines that are missing.
  ///
  /// - Returns: The new parts.
  private func derive(
    from log: [OpenPart],
    after sealedLog: [ManifestEntry],
    _ typed: [OpenPart],
    _ numbers: [String: Int]
  ) throws(StorageError) -> [PartName] {
    let derivation = Derivation(
      record,
      instruments: try Instrument.learned(in: record.run, from: storage)
    )
    let complete = checksEverything ? nil : sealedLog.last?.seq.upperBound
    if let complete { try recallExecutions(typed, upTo: complete, derivation) }
    let sheets = DerivedSheets(
      run: record.run,
      storage: storage,
      present: try present(typed, numbers, after: complete),
      completeUpTo: complete
    )
    let first = log.first?.firstTime ?? sealedLog.last?.time.upperBound ?? 0
    let before = sealedLog.filter {
      checksEverything || $0.time.upperBound >= first - Self.lookBack
    }
    for path in before.map(\.path) + log.map(\.part.plainPath) {
      try readIfPresent(path) { line throws(StorageError) in
        derivation.append(line.bytes, to: sheets)
        if line.number % 1_024 == 0 { try sheets.write() }
      }
    }
    derivation.finish(to: sheets)
    last = derivation.lastRecord
    return try sheets.finish()
  }

  /// Tells which executions the run has recorded up to a number: rows of before say which are told
  /// again, however long ago that was.
  private func recallExecutions(
    _ open: [OpenPart],
    upTo limit: UInt64,
    _ derivation: Derivation
  ) throws(StorageError) {
    let sealed = entries.values.filter { $0.channel == .trade }
      .sorted { $0.seq.lowerBound < $1.seq.lowerBound }
    let open = open.filter { $0.part.channel == .trade }
    for path in sealed.map(\.path) + open.map(\.part.plainPath) {
      try readIfPresent(path) { line in
        guard let head = LineHead(line.bytes, of: record.run), head.seq <= limit,
          let row = try? JSONValue(parsing: line.bytes), let id = row["execution_id"]?.string
        else { return }
        derivation.recall(execution: id, from: head.seq)
      }
    }
  }

  /// Reads a part, unless somebody has removed it: `verify` says so, and what can be made from the
  /// rest is made.
  private func readIfPresent(
    _ path: String,
    _ body: (Line) throws(StorageError) -> Void
  ) throws(StorageError) {
    do {
      _ = try PartReader(path, storage: storage).forEachLine(body)
    } catch  where error.code == .missing {
      // As said.
    }
  }

  private func complete() throws(StorageError) -> RunRecord {
    guard record.isUnfinished else { return record }
    record.ending = .crash
    record.last = last
    record.end = last?.realtime ?? record.start
    record.lastSeq = last?.seq
    try record.write(to: storage)
    return record
  }
}
