// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Looks through a recording and says what is wrong where.
///
/// It reads every byte once: lines, numbers, times, columns and types, gzip members, digests, and
/// whether the parts of each run make a whole. It changes nothing.
public struct RecordingVerifier {
  /// What was found, and how much was looked at.
  public struct Report: Sendable {
    /// Everything that is not as it should be, or worth knowing.
    public var findings: [Finding] = []
    /// How many parts were read.
    public var parts = 0
    /// How many lines they have.
    public var lines = 0
    /// How many bytes they have on the disk.
    public var bytes = 0

    /// Whether nothing is wrong.
    public var isSound: Bool { !findings.contains { $0.kind.isDamage } }
  }

  private let storage: any Storage
  private let isDeep: Bool

  /// Names a recording.
  ///
  /// - Parameters:
  ///   - directory: The directory; it must be there.
  ///   - deep: Whether the typed channels are made again from the log and compared, which takes
  ///     longer.
  /// - Throws: ``StorageError`` if there is no such directory.
  public init(directory: String, deep: Bool = false) throws {
    self.init(storage: try POSIXStorage(existing: directory), deep: deep)
  }

  /// Names a recording; of a caller that holds its lock, `isLocked` says so.
  init(
    storage: any Storage,
    deep: Bool = false,
    isLocked: Bool = false,
    lineLimit: Int = LineSplitter.longestLine
  ) {
    self.lineLimit = lineLimit
    self.storage = storage
    isDeep = deep
    isLockedByCaller = isLocked
  }

  private let isLockedByCaller: Bool
  private let lineLimit: Int

  /// Looks through the recording.
  ///
  /// - Returns: What was found.
  /// - Throws: ``StorageError`` if the directory or a file cannot be read.
  public func verify() throws -> Report {
    let isBeingRecorded = isLocked
    var report = Report()
    let manifest = try Manifest(of: storage)
    check(manifest, &report)
    try checkInstruments(&report)
    let records = try runs(&report)
    let files = try storage.channelFiles()
    let present = Set(files)
    // A recorder that is at work now has made the latest of the runs that have not ended.
    let current = isBeingRecorded ? records.values.filter(\.isUnfinished).map(\.run) : []
    var checks: [RunID: RunCheck] = [:]
    for (run, record) in records { checks[run] = RunCheck(run, record: record) }
    var unfinished: Set<RunID> = []
    // The parts that are to be read.
    var jobs: [(check: PartCheck, isCurrent: Bool)] = []
    for path in files {
      guard let part = PartName(path), let channel = part.channel else {
        report.findings.append(Finding(.unknownFile, path, "no recorder makes such a file"))
        continue
      }
      if part.state == .torn { continue }
      let isOpen = part.state == .plain && manifest.entries[path] == nil
      let isCurrent = current.contains(part.run)
      if part.state == .draft {
        if !isCurrent { report.findings.append(Finding(.leftover, path, "it counts for nothing")) }
        continue
      }
      if checks[part.run] == nil {
        checks[part.run] = RunCheck(part.run, record: nil)
        report.findings.append(
          Finding(.missingRun, "runs/\(part.run).json", "there are parts of this run")
        )
      }
      if part.state == .plain,
        let sealed = part.compressedPaths.first(where: { present.contains($0) })
      {
        if isCurrent { continue }
        report.findings.append(Finding(.doublePart, path, "the same part is sealed as well"))
        if manifest.entries[sealed] != nil { continue }
      }
      let check = PartCheck(
        part,
        channel: channel,
        path: path,
        time: records[part.run]?.layout.time ?? .nanoseconds,
        isBeingWritten: isOpen && isCurrent
      )
      jobs.append((check, isCurrent))
    }
    let results = Workers.map(jobs.map(\.check)) {
      [storage, lineLimit] check -> Result<PartCheck, StorageError> in
      var check = check
      do throws(StorageError) {
        try check.run(on: storage, lineLimit: lineLimit)
        return .success(check)
      } catch {
        return .failure(error)
      }
    }
    for (result, job) in zip(results, jobs) {
      let (path, part, isCurrent) = (job.check.path, job.check.part, job.isCurrent)
      let done: PartCheck
      switch result {
      case .success(let check): done = check
      case .failure(let error):
        // A recorder at work may just have sealed it, or removed it.
        if error.code == .missing, isCurrent || isBeingRecorded { continue }
        throw error
      }
      report.parts += 1
      report.lines += done.lines
      report.bytes += done.bytes
      report.findings += done.findings
      compare(done, manifest.entries[path], &report)
      if manifest.entries[path] == nil, !isCurrent {
        if records[part.run]?.isUnfinished == true {
          unfinished.insert(part.run)
        } else {
          report.findings.append(Finding(.unlistedPart, path, "the manifest does not name it"))
        }
      }
      checks[part.run]?.add(done)
    }
    for entry in manifest.entries.values.sorted(by: { $0.path < $1.path })
    where !present.contains(entry.path) && !isBeingRecorded {
      report.findings.append(Finding(.missingPart, entry.path, "the manifest names it"))
    }
    for entry in manifest.removedEntries.values { checks[entry.run]?.add(removed: entry) }
    for run in records.keys where records[run]?.isUnfinished == true && !current.contains(run) {
      unfinished.insert(run)
    }
    for run in unfinished.sorted(by: { $0.description < $1.description }) {
      report.findings.append(
        Finding(
          .unfinishedRun,
          "runs/\(run).json",
          "it has crashed: the next `record`, or `verify --repair`, brings it to its end"
        )
      )
    }
    for run in current {
      report.findings.append(Finding(.beingRecorded, "runs/\(run).json", "it is going on"))
    }
    let left = Set(jobs.map(\.check.part.run))
    try conclude(
      checks,
      records,
      Set(current),
      cut: left.intersection(manifest.removals.keys.compactMap { PartName($0)?.run }),
      &report
    )
    return report
  }

  /// Whether a recorder is at work in the directory.
  private var isLocked: Bool {
    if isLockedByCaller { return false }
    do {
      return try storage.list("").contains(".lock") && isHeld()
    } catch {
      return false
    }
  }

  private func isHeld() -> Bool {
    do {
      _ = try storage.lock()
      return false
    } catch {
      return error.code == .inUse
    }
  }

  private func check(_ manifest: Manifest, _ report: inout Report) {
    for line in manifest.badLines {
      report.findings.append(
        Finding(.badManifestLine, Manifest.path, line: line, "it says nothing of a part")
      )
    }
    if manifest.isTorn {
      report.findings.append(Finding(.tornLine, Manifest.path, "the last line has no end"))
    }
  }

  private func checkInstruments(_ report: inout Report) throws(StorageError) {
    var findings: [Finding] = []
    do {
      _ = try PartReader("instruments.ndjson", storage: storage).forEachLine { line in
        if !line.isComplete {
          findings.append(
            Finding(.tornLine, "instruments.ndjson", line: line.number, "it has no end")
          )
        } else if Instrument.line(line.bytes) == nil {
          findings.append(
            Finding(.badInstrument, "instruments.ndjson", line: line.number, "it says nothing")
          )
        }
      }
    } catch  where error.code == .missing {
      // Nothing was looked up.
    }
    report.findings += findings
  }

  private func runs(_ report: inout Report) throws(StorageError) -> [RunID: RunRecord] {
    var records: [RunID: RunRecord] = [:]
    for run in try RunRecord.runs(in: storage) {
      if let record = try RunRecord.read(run, from: storage) {
        records[run] = record
      } else {
        report.findings.append(Finding(.badRun, "runs/\(run).json", "it cannot be read"))
        records[run] = RunRecord(run: run, start: run.milliseconds * 1_000_000, tool: "")
      }
    }
    return records
  }

  private func compare(
    _ check: PartCheck,
    _ entry: ManifestEntry?,
    _ report: inout Report
  ) {
    guard let entry else { return }
    if entry.bytes != check.bytes {
      report.findings.append(
        Finding(
          .wrongSize,
          check.path,
          "it has \(check.bytes) bytes, and \(entry.bytes) by the manifest"
        )
      )
    } else if entry.digest != check.digest {
      report.findings.append(
        Finding(.wrongDigest, check.path, "its SHA-256 is not that of the manifest")
      )
    }
    if entry.lines != check.lines || entry.seq != check.seq || entry.time != check.time {
      report.findings.append(
        Finding(
          .wrongCounts,
          check.path,
          "it has \(check.lines) lines, and \(entry.lines) by the manifest, or other ranges"
        )
      )
    }
  }

  /// What only all parts of a run, and all runs together, can tell.
  ///
  /// Of a run that is `cut` some parts are there, and others were removed on purpose.
  private func conclude(
    _ checks: [RunID: RunCheck],
    _ records: [RunID: RunRecord],
    _ current: Set<RunID>,
    cut: Set<RunID>,
    _ report: inout Report
  ) throws {
    var previous: RunID?
    for run in checks.keys.sorted(by: { $0.description < $1.description }) {
      guard var check = checks[run] else { continue }
      check.finish(isBeingRecorded: current.contains(run))
      report.findings += check.findings
      if isDeep, cut.contains(run), !current.contains(run) {
        report.findings.append(
          Finding(
            .notCompared,
            "runs/\(run).json",
            "parts of this run were removed, as --keep says: its channels are not held against its log"
          )
        )
      }
      guard check.lastSeq != nil else { continue }
      // A run that fills gaps records nothing that could be missing before it.
      let isRecorder = records[run]?.purpose != .backfill
      if isRecorder, let previous, check.down?.previous != previous {
        report.findings.append(
          Finding(
            .undeclaredDownTime,
            "runs/\(run).json",
            "the time since the run \(previous) is declared by no gap"
          )
        )
      }
      if isRecorder { previous = run }
      if isDeep, !current.contains(run), !cut.contains(run), let record = records[run] {
        report.findings += try DerivedCheck(record, storage: storage).findings()
      }
    }
    if report.findings.contains(where: { $0.kind == .unlistedPart }),
      (try? storage.open(Manifest.path)) == nil
    {
      report.findings.append(Finding(.missingManifest, Manifest.path, "parts are sealed"))
    }
  }
}
