// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Puts right what can be put right in a recording, without inventing anything.
///
/// Crashed runs are brought to their end, as the next start would. Good lines are taken out of
/// damaged parts; the part as it was stays beside them with `.torn` behind its name. Parts that the
/// manifest does not name are listed again, and typed channels are made again from the log. What is
/// missing from the log stays missing.
public struct RecordingRepair {
  private let storage: any Storage

  /// Names a recording.
  ///
  /// - Parameter directory: The directory; it must be there.
  /// - Throws: ``StorageError`` if there is no such directory.
  public init(directory: String) throws {
    self.init(storage: try POSIXStorage(existing: directory))
  }

  init(storage: any Storage) {
    self.storage = storage
  }

  /// Repairs.
  ///
  /// - Returns: What was done, in words.
  /// - Throws: ``StorageError``; `.inUse` if a recorder is at work. It may be called again.
  public func run() throws -> [String] {
    let lock = try storage.lock()
    defer { withExtendedLifetime(lock) {} }
    var done: [String] = []
    let manifest = LedgerFile(Manifest.path, storage: storage)
    try mendLedger(Manifest.path, &done) { Manifest.isLine($0) }
    try mendLedger("instruments.ndjson", &done) { Instrument.line($0) != nil }
    try writeMissingRecords(&done)
    try removeLeftovers(&done)
    let unfinished = try unfinishedRuns()
    let startUp = StartUp(storage: storage, manifest: manifest, codec: .gzip)
    _ = try startUp.finishRuns()
    done += unfinished.map { "the run \($0) was brought to its end" }
    let findings = try RecordingVerifier(storage: storage, deep: true, isLocked: true).verify()
      .findings
    var broken: Set<RunID> = []
    for (path, kinds) in Dictionary(grouping: findings, by: \.path).sorted(by: { $0.key < $1.key })
    {
      guard let part = PartName(path) else { continue }
      let kinds = Set(kinds.map(\.kind))
      if !kinds.isDisjoint(with: Self.brokenContents) {
        try rebuild(part, path, manifest, &done)
        broken.insert(part.run)
      } else if kinds.contains(.unlistedPart), !kinds.contains(.doublePart) {
        try list(part, path, manifest, &done)
      }
      if kinds.contains(.missingPart) { broken.insert(part.run) }
    }
    for finding in findings where finding.kind == .differsFromLog {
      broken.formUnion(try runs(in: finding.path))
    }
    for run in broken.sorted(by: { $0.description < $1.description }) {
      try completeTyped(run, manifest, &done)
    }
    return done
  }

  /// What a part is rebuilt for.
  private static let brokenContents: Set<Finding.Kind> = [
    .tornLine, .notJSON, .notUTF8, .lineTooLong, .emptyLine, .wrongRun, .damagedMember,
    .wrongMember, .emptyPart,
  ]

  private func unfinishedRuns() throws -> [RunID] {
    try RunRecord.runs(in: storage).filter { run in
      try RunRecord.read(run, from: storage)?.isUnfinished ?? true
    }
  }

  private func runs(in folder: String) throws -> [RunID] {
    try storage.list(folder).compactMap { PartName("\(folder)/\($0)")?.run }
  }

  // MARK: - Small files

  /// Moves bad lines out of a ledger.
  private func mendLedger(
    _ path: String,
    _ done: inout [String],
    _ isGood: (UnsafeRawBufferPointer) -> Bool
  ) throws {
    var good = LineBuffer()
    var bad = LineBuffer()
    do throws(StorageError) {
      _ = try PartReader(path, storage: storage).forEachLine { line in
        if line.isComplete, isGood(line.bytes) {
          good.append(contentsOf: line.bytes)
          good.append("\n")
        } else {
          bad.append(contentsOf: line.bytes)
          bad.append("\n")
        }
      }
    } catch {
      if error.code == .missing { return }
      throw error
    }
    guard !bad.isEmpty else { return }
    let torn = try storage.append(to: "\(path).torn", creating: true)
    try bad.withBytes { bytes throws(StorageError) in try torn.writeAll(bytes) }
    try torn.synchronize()
    try storage.removeIfPresent("\(path).new")
    let draft = try storage.create("\(path).new")
    try good.withBytes { bytes throws(StorageError) in try draft.writeAll(bytes) }
    try draft.synchronize()
    try storage.rename("\(path).new", to: path)
    try storage.synchronizeFolder("")
    done.append("\(path): bad lines moved to \(path).torn")
  }

  /// Runs that have parts and no record get one that says what is known.
  private func writeMissingRecords(_ done: inout [String]) throws {
    let known = Set(try RunRecord.runs(in: storage))
    for run in Set(try storage.channelFiles().compactMap { PartName($0)?.run }).subtracting(known) {
      try RunRecord(run: run, start: run.milliseconds * 1_000_000, tool: "").write(to: storage)
      done.append("runs/\(run).json: written again, with what is known")
    }
  }

  /// Removes drafts, and plain files of parts that are sealed and whole.
  private func removeLeftovers(_ done: inout [String]) throws {
    let manifest = try Manifest(of: storage)
    let files = try storage.channelFiles()
    let present = Set(files)
    for path in files {
      guard let part = PartName(path) else { continue }
      if part.state == .draft {
        try storage.remove(path)
        done.append("\(path): removed, a draft")
      } else if part.state == .plain,
        let sealed = part.compressedPaths.first(where: { present.contains($0) })
      {
        if let entry = manifest.entries[sealed], try isWhole(part, sealed, entry) {
          try storage.remove(path)
          done.append("\(path): removed, it is sealed")
        } else {
          try storage.rename(sealed, to: "\(sealed).torn")
          done.append("\(sealed): moved to .torn, the open part has its lines")
        }
        try storage.synchronizeFolder(part.folder)
      }
    }
  }

  private func isWhole(_ part: PartName, _ path: String, _ entry: ManifestEntry) throws -> Bool {
    var check = PartCheck(part, channel: entry.channel, path: path, isBeingWritten: false)
    try check.run(on: storage)
    return check.digest == entry.digest
  }

  // MARK: - Parts

  /// Lists a part that is sound and that the manifest does not name.
  private func list(
    _ part: PartName,
    _ path: String,
    _ manifest: LedgerFile,
    _ done: inout [String]
  ) throws {
    guard let channel = part.channel else { return }
    if part.state == .plain {
      try seal(part, codec: .gzip, manifest)
    } else {
      var check = PartCheck(part, channel: channel, path: path, isBeingWritten: false)
      try check.run(on: storage)
      guard let seq = check.seq, let time = check.time else { return }
      let entry = ManifestEntry(
        path: path,
        run: part.run,
        channel: channel,
        lines: check.lines,
        seq: seq,
        time: time,
        bytes: check.bytes,
        digest: check.digest
      )
      var line = LineBuffer()
      entry.append(to: &line)
      try manifest.append(line)
    }
    done.append("\(path): named in the manifest again")
  }

  /// Makes a part anew from its good lines; what it was is kept.
  private func rebuild(
    _ part: PartName,
    _ path: String,
    _ manifest: LedgerFile,
    _ done: inout [String]
  ) throws {
    let draftPath = "\(part.plainPath).new"
    try storage.removeIfPresent(draftPath)
    let draft = try storage.create(draftPath)
    var lines = LineBuffer()
    var count = 0
    _ = try PartReader(path, storage: storage).forEachLine { line throws(StorageError) in
      guard OpenPart.head(of: line, in: part.run) != nil else { return }
      count += 1
      lines.append(contentsOf: line.bytes)
      lines.append("\n")
      guard lines.count > 1 << 20 else { return }
      try lines.withBytes { bytes throws(StorageError) in try draft.writeAll(bytes) }
      lines.removeAll()
    }
    try lines.withBytes { bytes throws(StorageError) in try draft.writeAll(bytes) }
    try draft.synchronize()
    try storage.rename(path, to: "\(path).torn")
    if count > 0 {
      try storage.rename(draftPath, to: part.plainPath)
      try storage.synchronizeFolder(part.folder)
      try seal(part, codec: part.codec, manifest)
    } else {
      try storage.remove(draftPath)
      try storage.synchronizeFolder(part.folder)
    }
    done.append("\(path): \(count) good lines kept; as it was, it is in \(path).torn")
  }

  private func seal(_ part: PartName, codec: PartCodec?, _ manifest: LedgerFile) throws {
    guard let channel = part.channel else { return }
    let sealer = PartSealer(part, channel: channel, codec: codec, storage: storage)
    while try !sealer.step() {}
    guard let entry = sealer.entry else { return }
    var line = LineBuffer()
    entry.append(to: &line)
    try manifest.append(line)
    try sealer.removePlain()
  }

  /// Writes the typed lines of a run that are missing.
  private func completeTyped(
    _ run: RunID,
    _ manifest: LedgerFile,
    _ done: inout [String]
  ) throws {
    guard let record = try RunRecord.read(run, from: storage) else { return }
    let before = try Manifest(of: storage)
    _ = try DeadRun(
      record,
      storage: storage,
      manifest: before,
      ledger: manifest,
      codec: .gzip,
      checksEverything: true
    ).finish()
    let added = try Manifest(of: storage).entries.count - before.entries.count
    if added > 0 { done.append("the run \(run): \(added) parts made again from its log") }
  }
}
