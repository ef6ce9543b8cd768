// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import IBKR
import Testing

@testable import Recording

/// Whatever moment a recorder is killed at, and whatever the disk forgets: the next start leaves a
/// whole recording of a beginning of what happened, and declares the rest.
@Suite(.timeLimit(.minutes(5)), .serialized) struct StartUpTests {
  private static let noon: Int64 = 1_795_478_000_000_000_000

  @Test(arguments: 0..<16)
  func everyRunIsABeginningAndTheRestIsDeclared(_ seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let disk = DiskModel()
    let losesPower = seed % 2 == 1
    var runs: [RandomRun] = []
    for number in 0..<6 {
      // The last run is left alone, so that what is there afterwards is at rest.
      if number < 5 {
        let last = Int.random(in: 1..<400, using: &random)
        disk.plan { call, _, _ in call == last ? .killed : nil }
      }
      let run = try RandomRun(number: number, start: Self.noon + Int64(number) * 20_000_000_000_000)
      runs.append(run)
      var sealing = RecordingWriter.Sealing()
      sealing.rotation = Rotation(size: Int.random(in: 300..<20_000, using: &random))
      sealing.compresses = Bool.random(using: &random)
      run.record(on: disk, batches: number < 5 ? 40 : 3, sealing: sealing, using: &random)
      if losesPower, !run.hasEnded { disk.losePower(using: &random) }
      disk.restart()
    }
    #expect(runs.last?.hasEnded == true)
    let report = try RecordingVerifier(storage: disk, deep: true).verify()
    #expect(report.findings == [])
    try checkFiles(of: disk)
    var previous: (run: RandomRun, last: UInt64)?
    for run in runs {
      guard let last = try check(run, after: previous, on: disk, losesPower) else { continue }
      previous = (run, last)
    }
  }

  /// Every part is sealed and as the manifest says, and nothing else lies about.
  private func checkFiles(of disk: DiskModel) throws {
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
  private func check(
    _ run: RandomRun,
    after previous: (run: RandomRun, last: UInt64)?,
    on disk: DiskModel,
    _ losesPower: Bool
  ) throws -> UInt64? {
    let folders = try lines(of: run.id, on: disk)
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

    let derivation = Derivation(
      run: run.id,
      channels: Channel.standard,
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
    return UInt64(log.count)
  }

  /// The lines of a run by folder, in the order of the parts.
  private func lines(of run: RunID, on disk: DiskModel) throws -> [String: [String]] {
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
