// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import JSON
import Testing
import Transport

@testable import Recording

@Suite(.timeLimit(.minutes(5))) struct ReplayTests {
  /// Two runs of random events: quotes, gaps, losses of the connection, bytes that are no text.
  private let recording: DamagedRecording
  private var reader: RecordingReader { RecordingReader(storage: recording.disk) }

  init() throws {
    recording = try DamagedRecording(compressed: true)
  }

  private func copy(_ configuration: Replay.Configuration = .init()) async throws -> DiskModel {
    let copy = DiskModel()
    var files = NDJSONFileSink.Configuration(directory: "copy")
    files.channels = Set(Channel.allCases)
    let sink = NDJSONFileSink(files, disk: try EventLoop(name: "disk")) {
      () throws(StorageError) in copy
    }
    let replay = try Replay(reader, configuration: configuration)
    let attached = replay.attach(sink)
    try await replay.run()
    try await attached.finished()
    return copy
  }

  /// The lines of each folder, in their order.
  private func lines(_ disk: DiskModel) throws -> [String: [String]] {
    var lines: [String: [String]] = [:]
    let reader = RecordingReader(storage: disk)
    for part in try reader.parts() {
      try reader.forEachLine(of: part) { line in
        lines[part.name.folder, default: []].append(String(decoding: line, as: UTF8.self))
      }
    }
    return lines
  }

  @Test func aReplayIsRunOnceAndSaysSo() async throws {
    let replay = try Replay(reader, configuration: .init())
    await replay.stop()
    try await replay.run()
    let error = await #expect(throws: IbkrError.self) { try await replay.run() }
    #expect(error?.code == .closed)
  }

  @Test func whatIsRecordedAgainIsTheSame() async throws {
    let copy = try await copy()
    let (before, after) = (try lines(recording.disk), try lines(copy))
    #expect(before.keys.sorted() == after.keys.sorted())
    for folder in before.keys { #expect(before[folder] == after[folder], "\(folder)") }
    let report = try RecordingVerifier(storage: copy, deep: true).verify()
    #expect(report.findings == [])
    for run in try reader.runs() {
      let record = try RunRecord.read(run, from: recording.disk)
      let again = try RunRecord.read(run, from: copy)
      #expect(record?.lastSeq == again?.lastSeq && record?.end == again?.end)
      #expect(record?.last == again?.last)
    }
  }

  @Test func twoReplaysAreTheSameFileForFile() async throws {
    let (first, second) = (try await copy(), try await copy())
    #expect(first.paths == second.paths)
    for path in first.paths { #expect(first.bytes(path) == second.bytes(path), "\(path)") }
  }

  @Test func aRunIsNotRecordedTwiceIntoOneDirectory() async throws {
    let sink = NDJSONFileSink(.init(directory: "copy"), disk: try EventLoop(name: "disk")) {
      [recording] () throws(StorageError) in recording.disk
    }
    let replay = try Replay(reader)
    let attached = replay.attach(sink)
    try await replay.run()
    await #expect { try await attached.finished() } throws: { error in
      (error as? StorageError)?.code == .exists
    }
  }

  /// A bot as a program has it: it does not know whether the past or the present trades.
  private func bids(of conid: Int, on source: some MarketSource) async throws -> [String] {
    let feed = try MarketDataFeed.marketData(conid: conid)
    var bids: [String] = []
    for try await quote in try await source.subscribe(feed, buffering: .dropOldest(1)) {
      bids.append("\(quote.message.seq) \(quote.bid.map(String.init(describing:)) ?? "-")")
    }
    return bids
  }

  @Test func aBotSeesEveryQuoteHoweverSlowItIs() async throws {
    let replay = try Replay(reader)
    async let seen = bids(of: 1, on: replay)
    try await replay.run()
    var expected: [String] = []
    for part in try reader.parts(of: [.raw]) {
      try reader.forEachLine(of: part) { line in
        guard let row = try? JSONValue(parsing: line), row["topic"]?.string == "smd+1",
          let message = row["msg"]?.string, let body = try? JSONValue(parsing: Array(message.utf8))
        else { return }
        expected.append("\(row["seq"]?.int ?? 0) \(body["84"]?.string ?? "-")")
      }
    }
    #expect(try await seen == expected)
    #expect(expected.count > 10)
  }

  @Test func everyEventComesInItsPlace() async throws {
    var configuration = Replay.Configuration()
    configuration.waitsForSubscribers = 2
    let replay = try Replay(reader, configuration: configuration)
    let all = replay.events(matching: .all, buffering: .fail)
    let lifecycle = replay.events(matching: .lifecycle)
    async let count = lifecycle.reduce(0) { sum, _ in sum + 1 }
    async let run: Void = replay.run()
    var numbers: [[UInt64]] = []
    var gaps = 0
    var own = 0
    for try await event in all {
      let seq = try #require(event.seq)
      if case .gap(let gap) = event, gap.reason == .processDown { gaps += 1 }
      if case .message = event {} else { own += 1 }
      if seq <= 1, numbers.last?.last ?? 1 > 1 || numbers.isEmpty { numbers.append([]) }
      numbers[numbers.count - 1].append(seq)
    }
    try await run
    #expect(numbers.count == 2 && gaps == 1)
    #expect(numbers.allSatisfy { $0 == $0.sorted() && Set($0).count == $0.count })
    #expect(try await count == own)
    #expect(await replay.eventCount == numbers.joined().count)
  }

  @Test func anExcerptHasTheSameQuotesAsTheWhole() async throws {
    let all = try lines(recording.disk).filter { $0.key.hasPrefix("ch=quote") }
    func time(_ line: String) throws -> Int64 {
      Int64(try #require(try JSONValue(parsing: Array(line.utf8))["ts_recv"]?.int))
    }
    let times = try all.values.joined().map(time).sorted()
    var configuration = Replay.Configuration()
    configuration.excerpt.from = times[times.count / 4]
    configuration.excerpt.to = times[times.count * 3 / 4]
    let some = try lines(try await copy(configuration)).filter { $0.key.hasPrefix("ch=quote") }
    for (folder, lines) in all {
      let wanted = try lines.filter {
        try time($0) >= configuration.excerpt.from! && time($0) < configuration.excerpt.to!
      }
      #expect(some[folder] ?? [] == wanted)
    }
    #expect(some.values.joined().count > 10)
  }

  @Test func ofSomeInstrumentsOnlyTheirsAreThere() async throws {
    var configuration = Replay.Configuration()
    configuration.excerpt.conids = try reader.conids(named: ["S1"])
    #expect(configuration.excerpt.conids == [1])
    let all = try lines(recording.disk)
    let some = try lines(try await copy(configuration))
    let quotes = some.keys.filter { $0.hasPrefix("ch=quote") }
    #expect(!quotes.isEmpty && quotes.allSatisfy { $0.hasSuffix("symbol=S1") })
    for folder in quotes { #expect(some[folder] == all[folder]) }
    #expect(throws: IbkrError.self) { try reader.conids(named: ["NOSUCH"]) }
  }

  @Test func printedLinesAreTheRecordedOnes() async throws {
    let pipe = StdoutSinkTests.Pipe()
    var configuration = StdoutSink.Configuration()
    configuration.channels = [.quote, .gap]
    let sink = try StdoutSink(configuration, descriptor: pipe.input)
    let replay = try Replay(reader)
    let attached = replay.attach(sink)
    async let run: Void = replay.run()
    try await run
    try await attached.finished()
    let printed = pipe.contents().split(separator: "\n").map(String.init)
    let all = try lines(recording.disk).filter {
      $0.key.hasPrefix("ch=quote") || $0.key.hasPrefix("ch=gap")
    }
    #expect(printed.sorted() == all.values.joined().sorted())
  }

  @Test(arguments: [1, 10, 250])
  func speedIsAFactor(_ factor: Double) async throws {
    let start = Timestamp(realtime: 1_800_000_000_000_000_000, monotonic: 5, boot: 5)
    let loop = try EventLoop(virtual: start)
    defer { loop.stop() }
    var configuration = Replay.Configuration()
    configuration.speed = .times(factor)
    let replay = try Replay(reader, configuration: configuration, loop: loop)
    let attached = replay.attach(MemorySink())
    try await replay.run()
    try await attached.finished()
    // Both runs from their first event to their last; nobody waits for the time between them.
    var recorded: Int64 = 0
    for run in try reader.runs() {
      var times: [Int64] = []
      for part in try reader.parts(of: [.raw]) where part.run == run {
        try reader.forEachLine(of: part) { line in
          if let raw = RawLine(line, of: run) { times.append(raw.stamp.monotonic) }
        }
      }
      recorded += (times.max() ?? 0) - (times.first ?? 0)
    }
    let taken = loop.now - start.monotonic
    #expect(abs(Double(taken) - Double(recorded) / factor) < 1_000, "\(taken) for \(recorded)")
  }

  @Test func aDamagedRecordingIsAnErrorAfterWhatCameBefore() async throws {
    try recording.change(recording.part(-1, of: "raw")) { $0[$0.count / 2] ^= 0x55 }
    let replay = try Replay(reader)
    let memory = MemorySink()
    let attached = replay.attach(memory)
    await #expect { try await replay.run() } throws: { error in
      (error as? StorageError)?.code == .damaged
    }
    try await attached.finished()
    #expect(await memory.events.count > 20)
  }

  @Test func itCanBeStoppedWhileItWaits() async throws {
    let replay = try Replay(reader)
    async let run: Void = replay.run()
    await replay.stop()
    try await run
    #expect(await replay.eventCount == 0)
  }
}
