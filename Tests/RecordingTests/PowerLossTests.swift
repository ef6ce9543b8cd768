// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Testing
import Transport

@testable import Recording

/// The power fails at any moment, and with it goes what was not synced: at most the last second is
/// missing, and the next run says so.
@Suite(.timeLimit(.minutes(Seeds.wanted == nil ? 15 : 60)), .serialized) struct PowerLossTests {
  /// What is counted over all seeds.
  private struct Figures {
    var cuts = 0
    var records = 0
    var lost = 0
    /// How long before the cut the first lost event had come, in milliseconds.
    var earliest: Int64 = 0
  }

  /// A run as it was until the power failed.
  private struct Run {
    /// When each event had come; the n-th has the number n.
    var times: [Int64] = []
    var cut: Int64 = 0
  }

  @Test func atMostASecondIsLostAndAlwaysDeclared() async throws {
    var figures = Figures()
    for seed in 0..<Seeds.count(4) { try await lose(UInt64(seed), &figures) }
    #expect(figures.records > 0 && figures.lost > 0)
    guard Seeds.wanted != nil else { return }
    print(
      "power loss: \(figures.cuts) cuts, \(figures.records) records survived, \(figures.lost) lost, "
        + "the earliest of them \(figures.earliest) ms before its cut, 0 undeclared"
    )
  }

  private func lose(_ seed: UInt64, _ figures: inout Figures) async throws {
    var random = SeededRandom(seed: seed)
    let disk = DiskModel()
    let start = Timestamp(realtime: 1_795_478_000_000_000_000, monotonic: 1, boot: 1)
    let loop = try EventLoop(virtual: start, advance: .onDemand)
    defer { loop.stop() }
    var runs: [Run] = []
    for number in 0..<4 {
      runs.append(try await record(on: disk, loop, endsWell: number == 3, using: &random))
      if number < 3 { disk.losePower(using: &random) }
      disk.restart()
      await loop.advance(by: .seconds(5))
    }
    let report = try RecordingVerifier(storage: disk, deep: true).verify()
    #expect(report.findings == [], "seed \(seed)")
    try check(runs, on: disk, seed, &figures)
  }

  /// Records until the power fails.
  private func record(
    on disk: DiskModel,
    _ loop: EventLoop,
    endsWell: Bool,
    using random: inout SeededRandom
  ) async throws -> Run {
    var configuration = NDJSONFileSink.Configuration(directory: "disk")
    configuration.rotation = Rotation(size: Int.random(in: 2_000..<60_000, using: &random))
    configuration.codec = Codecs.random(using: &random)
    configuration.minimumFree = 0
    let sink = NDJSONFileSink(configuration, disk: loop) { () throws(StorageError) in disk }
    let cut = Locked<Int64?>(nil)
    var run = Run()
    var source = EventSource()
    // The cut comes at the n-th call after a moment.
    let rounds = Int.random(in: 1..<60, using: &random)
    for round in 0... {
      if endsWell, round == rounds { break }
      if !endsWell, round == rounds {
        let last = disk.calls + Int.random(in: 1..<12, using: &random)
        disk.plan { call, _, _ in
          guard call >= last else { return nil }
          cut.withLock { $0 = $0 ?? loop.timestamp().realtime }
          return .killed
        }
      }
      for _ in 0..<Int.random(in: 1..<4, using: &random) {
        // The source adds it again.
        source.realtime = loop.timestamp().realtime - 1_000_000
        source.message(
          #"{"topic":"smd+1","conid":1,"31":"1"}"#.utf8,
          topic: .marketData,
          named: "smd+1",
          conid: 1
        )
        run.times.append(loop.timestamp().realtime)
      }
      let batch = try source.take()
      // What a dead disk refuses waits; nobody waits for it here.
      let writing = Task(executorPreference: loop) { try? await sink.write(batch) }
      await loop.advance(by: .milliseconds(Int.random(in: 1..<150, using: &random)))
      if disk.isDead {
        writing.cancel()
        await loop.advance(by: .seconds(2))
        break
      }
    }
    if endsWell { try await sink.close() }
    run.cut = cut.withLock { $0 } ?? loop.timestamp().realtime
    return run
  }

  private func check(
    _ runs: [Run],
    on disk: DiskModel,
    _ seed: UInt64,
    _ figures: inout Figures
  ) throws {
    let found = try RunRecord.runs(in: disk).compactMap { try RunRecord.read($0, from: disk) }
    var index = 0
    for (number, run) in runs.enumerated() {
      figures.cuts += number < 3 ? 1 : 0
      // A run whose own record was lost has left nothing.
      guard index < found.count, isOf(found[index], run) else {
        lost(run.times[...], of: run, seed, &figures)
        continue
      }
      let survived = Int(found[index].lastSeq ?? 0)
      #expect(survived <= run.times.count)
      figures.records += survived
      if number < 3 { lost(run.times.dropFirst(survived), of: run, seed, &figures) }
      index += 1
    }
    #expect(index == found.count, "seed \(seed)")
  }

  private func isOf(_ record: RunRecord, _ run: Run) -> Bool {
    guard let first = run.times.first else { return false }
    return record.start >= first - 1_000_000_000 && record.start <= run.cut + 1_000_000_000
  }

  private func lost(
    _ times: ArraySlice<Int64>,
    of run: Run,
    _ seed: UInt64,
    _ figures: inout Figures
  ) {
    // What came when the disk was dead already does not count.
    let times = times.prefix { $0 <= run.cut }
    figures.lost += times.count
    guard let first = times.first else { return }
    let before = (run.cut - first) / 1_000_000
    figures.earliest = max(figures.earliest, before)
    #expect(before <= 1_000, "seed \(seed)")
  }
}
