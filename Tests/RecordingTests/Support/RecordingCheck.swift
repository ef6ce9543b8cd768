// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import IBKR
import Testing

@testable import Recording

/// Compares what lies on a disk with what runs have seen.
struct RecordingCheck {
  let disk: DiskModel

  /// Checks a recording at rest: it is sound, every run is a beginning of what it has seen, and the
  /// rest is declared.
  ///
  /// - Parameters:
  ///   - runs: The runs, in their order.
  ///   - losesPower: Whether a run may have lost what it had written and not synced.
  /// - Throws: What reading throws.
  func check(_ runs: [RandomRun], losesPower: Bool) throws {
    let report = try RecordingVerifier(storage: disk, deep: true).verify()
    #expect(report.findings == [])
    try checkFiles()
    var previous: (run: RandomRun, last: UInt64)?
    for run in runs {
      guard let last = try check(run, after: previous, losesPower: losesPower) else { continue }
      previous = (run, last)
    }
  }

  /// Every part is sealed and as the manifest says, and nothing else lies about.
  func checkFiles() throws {
    let manifest = try Manifest(of: disk)
    #expect(manifest.badLines == [] && !manifest.isTorn)
    for path in disk.paths where path.hasPrefix("ch=") {
      guard let name = PartName(path), name.state != .torn else { continue }
      let entry = try #require(manifest.entries[path], "\(path) is not in the manifest")
      let bytes = try #require(disk.bytes(path))
      #expect(entry.bytes == bytes.count)
      #expect(entry.digest == Hexadecimal.encode(try Digest.of(bytes, .sha256)))
    }
    for path in manifest.entries.keys { #expect(disk.bytes(path) != nil, "\(path) is missing") }
    for run in try RunRecord.runs(in: disk) {
      #expect(try RunRecord.read(run, from: disk)?.isUnfinished == false)
    }
  }

  /// Checks one run; returns the number of its last record, nil if it has none.
  func check(
    _ run: RandomRun,
    after previous: (run: RandomRun, last: UInt64)?,
    losesPower: Bool = false
  ) throws -> UInt64? {
    let folders = try lines(of: run.id)
    var log = folders.filter { $0.key.hasPrefix("ch=raw") }.sorted { $0.key < $1.key }
      .flatMap(\.value)
    guard let first = log.first else {
      #expect(run.safe == 0 && (losesPower || run.written == 0))
      #expect(folders.isEmpty)
      return nil
    }
    if let previous {
      #expect(first.contains(#""seq":0,"#))
      #expect(first.contains(#"\"run_prev\":\"\#(previous.run.id)\""#))
      #expect(first.contains(#"\"seq_first\":\#(previous.last),"#))
      log.removeFirst()
    }
    #expect(log == Array(run.expected.prefix(log.count)))
    #expect(log.count >= (losesPower && !run.hasEnded ? run.safe : run.written))

    var record = RunRecord(run: run.id, start: 0, tool: "test")
    record.channels = Set(Channel.allCases)
    let derivation = Derivation(
      record,
      instruments: try Instrument.learned(in: run.id, from: disk)
    )
    let wanted = MemorySheets()
    for line in (previous == nil ? [] : [first]) + log {
      Array(line.utf8).withUnsafeBytes { derivation.append($0, to: wanted) }
    }
    derivation.finish(to: wanted)
    let typed = folders.filter { !$0.key.hasPrefix("ch=raw") }
    // What was made again lies behind the rest, so their order in the folder does not count.
    #expect(Set(typed.keys) == Set(wanted.lines.keys))
    for (folder, lines) in wanted.lines {
      #expect(typed[folder]?.count == lines.count, "\(folder)")
      #expect(Set(typed[folder] ?? []) == Set(lines), "\(folder)")
    }
    return log.last.flatMap { line in
      Array(line.utf8).withUnsafeBytes { LineHead($0, of: run.id)?.seq }
    } ?? 0
  }

  /// The log of a run, in its order.
  func log(of run: RunID) throws -> [String] {
    try lines(of: run).filter { $0.key.hasPrefix("ch=raw") }.sorted { $0.key < $1.key }
      .flatMap(\.value)
  }

  /// The lines of a run by folder, in the order of the parts.
  private func lines(of run: RunID) throws -> [String: [String]] {
    var lines: [String: [String]] = [:]
    for path in disk.paths {
      guard let name = PartName(path), name.run == run, name.state != .torn else { continue }
      let report = try PartReader(path, storage: disk).forEachLine { line in
        #expect(line.isComplete)
        lines[name.folder, default: []].append(String(decoding: line.bytes, as: UTF8.self))
      }
      #expect(report.damages == [] && report.liars == [])
    }
    return lines
  }
}
