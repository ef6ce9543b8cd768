// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import Testing

@testable import Recording

/// Whatever moment a recorder is killed at, and whatever the disk forgets: the next start leaves a
/// whole recording of a beginning of what happened, and declares the rest.
@Suite(.timeLimit(.minutes(Seeds.wanted == nil ? 15 : 60)), .serialized) struct StartUpTests {
  private static let noon: Int64 = 1_795_478_000_000_000_000

  @Test(arguments: 0..<Seeds.count(16))
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
      sealing.codec = Codecs.random(using: &random)
      run.record(on: disk, batches: number < 5 ? 40 : 3, sealing: sealing, using: &random)
      if losesPower, !run.hasEnded { disk.losePower(using: &random) }
      disk.restart()
    }
    #expect(runs.last?.hasEnded == true)
    try RecordingCheck(disk: disk).check(runs, losesPower: losesPower)
  }

  /// The same while old parts are removed: what is left is whole, and the manifest tells of the rest.
  @Test(arguments: 0..<Seeds.count(12))
  func whatIsRemovedOnPurposeIsNoDamage(_ seed: Int) throws {
    var random = SeededRandom(seed: UInt64(1_000 + seed))
    let disk = DiskModel()
    var sealing = RecordingWriter.Sealing()
    sealing.retention = Retention(size: Int.random(in: 2_000..<10_000, using: &random))
    if Bool.random(using: &random) { sealing.retention.age = .seconds(40_000) }
    var runs: [RandomRun] = []
    for number in 0..<6 {
      if number < 5 {
        let last = Int.random(in: 100..<600, using: &random)
        disk.plan { call, _, _ in call == last ? .killed : nil }
      }
      let run = try RandomRun(number: number, start: Self.noon + Int64(number) * 20_000_000_000_000)
      runs.append(run)
      sealing.rotation = Rotation(size: Int.random(in: 300..<5_000, using: &random))
      sealing.codec = Codecs.random(using: &random)
      run.record(on: disk, batches: 40, sealing: sealing, using: &random)
      disk.restart()
    }
    #expect(runs.last?.hasEnded == true)
    let check = RecordingCheck(disk: disk)
    try check.checkFiles()
    let report = try RecordingVerifier(storage: disk).verify()
    #expect(report.findings == [])
    let manifest = try Manifest(of: disk)
    #expect(!manifest.removals.isEmpty)
    // What is left of a run cannot be held against a log that is there no more, and that is said of
    // each such run and of no other.
    let deep = try RecordingVerifier(storage: disk, deep: true).verify()
    #expect(deep.isSound && deep.findings.allSatisfy { $0.kind == .notCompared })
    let cut = Set(manifest.removals.keys.compactMap { PartName($0)?.run })
    let parts = try disk.channelFiles().compactMap { PartName($0) }
    let left = Set(parts.filter { $0.state != .torn }.map(\.run))
    #expect(
      Set(deep.findings.map(\.path)) == Set(cut.intersection(left).map { "runs/\($0).json" })
    )
    #expect(manifest.entries.values.reduce(0) { $0 + $1.bytes } <= sealing.retention.size ?? 0)
    for run in runs {
      // The time before the run stands before what the run has seen.
      let log = try check.log(of: run.id).filter { !$0.contains(#","seq":0,"#) }
      guard let first = log.first else { continue }
      let start = try #require(run.expected.firstIndex(of: first))
      #expect(log == Array(run.expected[start...].prefix(log.count)))
    }
  }

  /// `verify --repair` finishes what a crash has left, also when it is killed itself, again and again.
  @Test(arguments: 0..<Seeds.count(8))
  func aRepairThatIsKilledIsDoneAgain(_ seed: Int) throws {
    var random = SeededRandom(seed: UInt64(2_000 + seed))
    let disk = DiskModel()
    let losesPower = seed % 2 == 1
    var runs: [RandomRun] = []
    for number in 0..<3 {
      var sealing = RecordingWriter.Sealing()
      sealing.rotation = Rotation(size: Int.random(in: 300..<20_000, using: &random))
      let last = Int.random(in: 30..<400, using: &random)
      disk.plan { call, _, _ in call == last ? .killed : nil }
      let run = try RandomRun(number: number, start: Self.noon + Int64(number) * 20_000_000_000_000)
      runs.append(run)
      run.record(on: disk, batches: 40, sealing: sealing, using: &random)
      if losesPower, !run.hasEnded { disk.losePower(using: &random) }
      disk.restart()
      var kills = 0
      while true {
        let last = Int.random(in: 1..<120, using: &random) + kills * 10
        disk.plan { call, _, _ in call == last ? .killed : nil }
        let isDone = (try? RecordingRepair(storage: disk).run()) != nil && !disk.isDead
        if losesPower, !isDone { disk.losePower(using: &random) }
        disk.restart()
        if isDone { break }
        kills += 1
      }
    }
    try RecordingCheck(disk: disk).check(runs, losesPower: losesPower)
  }

  /// A run begins where another was killed, and is killed in its turn: at each of its calls once,
  /// or at every seventeenth.
  @Test(arguments: Codecs.all)
  func thereIsNoCallAtWhichItMustNotBeKilled(_ codec: PartCodec?) throws {
    var sealing = RecordingWriter.Sealing()
    sealing.rotation = Rotation(size: 2_000)
    sealing.codec = codec
    let before = DiskModel()
    var random = SeededRandom(seed: 5)
    let first = try RandomRun(number: 0, start: Self.noon)
    before.plan { call, _, _ in call == 150 ? .killed : nil }
    first.record(on: before, batches: 40, sealing: sealing, using: &random)
    before.restart()

    let step = Seeds.areMany ? 1 : 17
    var call = codec == .gzip ? 0 : step / 2
    var hasEnded = false
    while !hasEnded {
      call += step
      let (disk, last) = (DiskModel(copying: before), call)
      disk.plan { call, _, _ in call == last ? .killed : nil }
      var runs = [first]
      for number in 1...2 {
        let start = Self.noon + Int64(number) * 20_000_000_000_000
        let run = try RandomRun(number: number, start: start)
        var random = SeededRandom(seed: 6)
        run.record(on: disk, batches: number == 1 ? 10 : 2, sealing: sealing, using: &random)
        runs.append(run)
        disk.restart()
      }
      hasEnded = runs[1].hasEnded
      try RecordingCheck(disk: disk).check(runs, losesPower: false)
    }
    #expect(call > 100)
    if Seeds.wanted != nil {
      print("kills: at every \(step). of \(call) calls, compressed: \(codec?.rawValue ?? "no")")
    }
  }
}
