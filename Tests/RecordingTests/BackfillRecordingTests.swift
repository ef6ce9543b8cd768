// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import JSON
import Testing
import Transport

@testable import IBKR
@testable import Recording

/// Gaps and their bars from the simulated gateway to the disk, on virtual time.
@Suite(.timeLimit(.minutes(5))) struct BackfillRecordingTests {
  private static let minute: Int64 = 60_000_000_000

  /// A gateway, a disk, and recorders one after another.
  private struct World {
    let loop: EventLoop
    let network = MemoryNetwork()
    let simulator: GatewaySimulator
    let storage = MemoryStorage()
    let instruments = [
      Instrument(conid: 265_598, symbol: "AAPL"), Instrument(conid: 272_093, symbol: "MSFT"),
    ]

    init(_ events: [Scenario.Event] = []) async throws {
      let start = Timestamp(
        realtime: 1_777_552_110_000_000_000,
        monotonic: 1_000_000_000,
        boot: 1_000_000_000
      )
      loop = try EventLoop(virtual: start, advance: .onDemand)
      var simulated = GatewaySimulatorConfiguration()
      simulated.scenario = Scenario(name: "test", events: events)
      simulator = try await GatewaySimulator.start(
        simulated,
        listener: network.listen(host: "gateway", port: 5000, on: loop),
        loop: loop
      )
    }

    var reader: RecordingReader { RecordingReader(storage: storage) }

    var filling: GapFilling {
      GapFilling(reader) { [loop, storage] configuration in
        NDJSONFileSink(configuration, disk: loop) { () throws(StorageError) in storage }
      }
    }

    func client() throws -> IbkrClient {
      var address = IbkrConfiguration()
      address.restURL = "http://gateway:5000/v1/api"
      return try IbkrClient(configuration: address, loop: loop, connector: network)
    }

    /// Records for a while.
    func record(
      for seconds: Int,
      fillsGaps: Bool,
      then end: Bool = true,
      before: [Backfill] = []
    ) async throws {
      var files = NDJSONFileSink.Configuration(directory: "memory")
      files.channels = Channel.standard.union([.bar])
      let sink = NDJSONFileSink(files, disk: loop) { [storage] () throws(StorageError) in storage }
      var configuration = StreamConfiguration()
      configuration.seed = 7
      configuration.fillsGaps = fillsGaps
      configuration.keepsBook = false
      let client = try client()
      let stream = IbkrWsClient(ibkrClient: client, configuration: configuration)
      stream.attach(sink)
      try await stream.want(.marketData(conid: 265_598))
      try await stream.want(.marketData(conid: 272_093, exchange: "ARCA"))
      let instruments = instruments
      let run = Task(executorPreference: loop) {
        try await sink.learn(instruments)
        await stream.fill(before)
        try await stream.run()
        await client.close()
      }
      await loop.advance(by: .seconds(seconds))
      let stopping = Task(executorPreference: loop) { await stream.stop() }
      await loop.advance(by: .seconds(10))
      await stopping.value
      try await run.value
    }

    /// Fills what is left by hand.
    func fill(_ plan: [RecordedBackfill], within seconds: Int) async throws -> Int {
      let (client, filling) = (try client(), filling)
      let run = Task(executorPreference: loop) { try await filling.run(plan, asking: client) }
      await loop.advance(by: .seconds(seconds))
      return try await run.value
    }

    func end() async throws {
      try await simulator.stop()
      loop.stop()
    }

    /// Rows of `ch=bar`.
    func bars() throws -> [JSONValue] {
      storage.lines(under: "ch=bar").compactMap { try? JSONValue(parsing: Array($0.utf8)) }
    }

    func states() throws -> [String] {
      try reader.backfills(of: reader.gaps()).map { "\($0.symbol) \($0.state.rawValue) \($0.bars)" }
    }

    /// Nothing is damaged, everything follows from the log, and bars are where they belong.
    func check(_ location: SourceLocation = #_sourceLocation) throws {
      let report = try RecordingVerifier(storage: storage, deep: true).verify()
      #expect(report.findings == [], sourceLocation: location)
      let gaps = Dictionary(try reader.gaps().map { ($0.id, $0) }) { first, _ in first }
      var seen: Set<[String]> = []
      for bar in try bars() {
        let id = try #require(bar["gap_id"]?.string, sourceLocation: location)
        let gap = try #require(gaps[id], sourceLocation: location)
        let time = Int64(try #require(bar["ts"]?.int, sourceLocation: location))
        let end = gap.end ?? .max
        // The gap touches each of its bars.
        #expect(time + minute > gap.start && time < end, sourceLocation: location)
        #expect(bar["source"]?.string == "backfill", sourceLocation: location)
        let conid = try #require(bar["conid"]?.int, sourceLocation: location)
        #expect(gap.conids.contains(conid), sourceLocation: location)
        let symbol = try #require(bar["symbol"]?.string)
        #expect(gap.symbols.contains(symbol), sourceLocation: location)
        #expect(seen.insert([id, symbol, "\(time)"]).inserted, sourceLocation: location)
      }
      #expect(storage.lines(under: "ch=quote").allSatisfy { !$0.contains("gap_id") })
    }
  }

  @Test func aRecorderFillsItsGaps() async throws {
    let world = try await World([
      .init(.refuseConnections(for: .seconds(130)), after: .seconds(30))
    ])
    try await world.record(for: 500, fillsGaps: true)
    try world.check()
    let states = try world.states()
    let bars = try world.bars()
    #expect(states.count == 2 && states.allSatisfy { $0.contains(" done ") }, "\(states)")
    #expect(states.map { $0.prefix { $0 != " " } } == ["AAPL", "MSFT@ARCA"])
    #expect(bars.count >= 6)
    // The gap's own record is not touched.
    let gap = try #require(world.storage.lines(under: "ch=gap").first)
    #expect(gap.hasSuffix(#""backfill":"pending"}"#))
    #expect(try world.filling.plan().isEmpty)
    try await world.end()
  }

  @Test func whatIsRecordedAgainHasItsBars() async throws {
    let world = try await World([.init(.dropConnections, after: .seconds(30))])
    try await world.record(for: 200, fillsGaps: true)
    let copy = MemoryStorage()
    var files = NDJSONFileSink.Configuration(directory: "copy")
    files.channels = Set(Channel.allCases)
    let sink = NDJSONFileSink(files, disk: try EventLoop(name: "disk")) {
      () throws(StorageError) in copy
    }
    let replay = try Replay(world.reader)
    let attached = replay.attach(sink)
    try await replay.run()
    try await attached.finished()
    let lines = { (storage: MemoryStorage, channel: String) in storage.lines(under: channel) }
    for channel in ["ch=raw", "ch=bar", "ch=status", "ch=gap", "ch=quote"] {
      #expect(lines(copy, channel) == lines(world.storage, channel), "\(channel)")
      #expect(!lines(copy, channel).isEmpty)
    }
    try await world.end()
  }

  @Test func barsAreMadeAgainFromTheLog() async throws {
    let world = try await World([
      .init(.refuseConnections(for: .seconds(130)), after: .seconds(30))
    ])
    try await world.record(for: 500, fillsGaps: true)
    let before = world.storage.lines(under: "ch=bar")
    // As a crash leaves it: open parts, no end, and no bars yet.
    let run = try #require(try world.reader.runs().first)
    var record = try #require(try RunRecord.read(run, from: world.storage))
    (record.end, record.ending, record.last, record.lastSeq) = (nil, nil, nil, nil)
    try record.write(to: world.storage)
    let sealed = world.storage.paths.filter { $0.hasSuffix(".gz") }
    for path in sealed {
      let lines = world.storage.lines(under: path)
      try world.storage.remove(path)
      guard !path.hasPrefix("ch=bar/") else { continue }
      let file = try world.storage.create(String(path.dropLast(3)))
      for line in lines { try Array("\(line)\n".utf8).withUnsafeBytes { try file.writeAll($0) } }
    }
    try world.storage.remove("_manifest.ndjson")
    _ = try RecordingRepair(storage: world.storage).run()
    #expect(world.storage.lines(under: "ch=bar") == before && !before.isEmpty)
    try world.check()
    try await world.end()
  }

  @Test func theTimeBetweenRunsIsFilledByHand() async throws {
    let world = try await World([.init(.dropConnections, after: .seconds(20))])
    try await world.record(for: 60, fillsGaps: false)
    await world.loop.advance(by: .seconds(300))
    try await world.record(for: 60, fillsGaps: false)
    #expect(
      try world.states() == [
        "AAPL none 0", "MSFT@ARCA none 0", "AAPL none 0", "MSFT@ARCA none 0",
      ]
    )
    let plan = try world.filling.plan()
    #expect(plan.count == 4 && plan.allSatisfy { $0.state == .none })
    #expect(plan.map(\.exchange) == [nil, "ARCA", nil, "ARCA"])
    #expect(try await world.fill(plan, within: 120) == 0)
    try world.check()
    let states = try world.states()
    #expect(states.allSatisfy { $0.contains(" done ") }, "\(states)")
    // Nothing is left, but whoever names a gap has it asked for again.
    #expect(try world.filling.plan().isEmpty)
    let gap = try #require(plan.last?.gapID)
    #expect(try world.filling.plan(for: [gap]).count == 2)

    // The run that filled them recorded nothing: the next one declares the time since the recorder.
    let fillingRun = try #require(try world.reader.runs().last)
    let recorder = try #require(try world.reader.runs().dropLast().last)
    await world.loop.advance(by: .seconds(30))
    try await world.record(for: 30, fillsGaps: false)
    try world.check()
    let down = try #require(try world.reader.gaps().last)
    #expect(down.reason == .processDown && down.id.hasSuffix("-0"))
    let since = try #require(try RunRecord.read(recorder, from: world.storage)?.last)
    #expect(down.start == since.realtime)
    let own = try #require(try RunRecord.read(fillingRun, from: world.storage))
    #expect(own.purpose == .backfill && own.channels == [.raw, .bar, .status])
    try await world.end()
  }

  @Test func theNextStartGoesOnWithWhatWasLeft() async throws {
    // The server refuses bars until the second run.
    let world = try await World([
      .init(.dropConnections, after: .seconds(20)),
      .init(.history(.unanswered, for: .seconds(300)), after: .seconds(21)),
    ])
    try await world.record(for: 180, fillsGaps: true)
    #expect(try world.states().contains { !$0.contains("done") })
    #expect(try world.filling.plan().count == 2)
    await world.loop.advance(by: .seconds(200))
    let left = try world.filling.unsettled(at: world.loop.timestamp().realtime)
    #expect(left.count == 2)
    try await world.record(for: 200, fillsGaps: true, before: left)
    try world.check()
    let states = try world.states()
    #expect(states.prefix(2).allSatisfy { $0.contains(" done ") }, "\(states)")
    try await world.end()
  }

  @Test func byHandDelayedDataIsLeftForAnotherTime() async throws {
    let world = try await World([
      .init(.dropConnections, after: .seconds(20)),
      .init(.history(.delayed, for: .seconds(1_000)), after: .seconds(21)),
    ])
    try await world.record(for: 60, fillsGaps: false)
    #expect(try await world.fill(try world.filling.plan(), within: 300) == 2)
    #expect(try world.states() == ["AAPL pending 0", "MSFT@ARCA pending 0"])
    #expect(try world.reader.backfills(of: world.reader.gaps()).allSatisfy { $0.rest != nil })
    await world.loop.advance(by: .seconds(1_000))
    #expect(try await world.fill(try world.filling.plan(), within: 60) == 0)
    try world.check()
    #expect(try world.states().allSatisfy { $0.contains(" done ") })
    try await world.end()
  }

  @Test func withoutASessionNothingIsLost() async throws {
    let world = try await World([
      .init(.dropConnections, after: .seconds(20)),
      .init(.authenticationLoss(for: .seconds(3_600), announcesReturn: true), after: .seconds(90)),
    ])
    try await world.record(for: 60, fillsGaps: false)
    await world.loop.advance(by: .seconds(60))
    let plan = try world.filling.plan()
    await #expect { _ = try await world.fill(plan, within: 60) } throws: { error in
      (error as? IbkrError)?.code == .authentication
    }
    #expect(try world.filling.plan() == plan)
    try world.check()
    try await world.end()
  }

  @Test func aDirectoryIsNotFilledWhileItIsRecordedInto() async throws {
    let world = try await World([.init(.dropConnections, after: .seconds(20))])
    try await world.record(for: 60, fillsGaps: false)
    let plan = try world.filling.plan()
    let held = try world.storage.lock()
    await #expect { _ = try await world.fill(plan, within: 10) } throws: { error in
      (error as? StorageError)?.code == .inUse
    }
    withExtendedLifetime(held) {}
    try await world.end()
  }

  @Test func severalRunsMakeOneState() throws {
    // A word of each run about the same stretch of ten minutes.
    let recording = try QuoteRecording()
    let start = QuoteRecording.afternoon
    try recording.writeGap(1, from: start, to: start + 10 * Self.minute, symbols: ["1"])
    let gap = "\(recording.run)-1"
    func tell(_ run: Int, _ state: BackfillProgress.State, _ bars: Int, rest: Bool) throws {
      let id = RunID(milliseconds: start / 1_000_000 + Int64(run), random: 7)
      let range = start..<start + 10 * Self.minute
      let progress = BackfillProgress(
        Backfill(gap: .named(gap), conid: 1, range: range),
        state,
        reason: "why",
        bars: bars,
        rest: rest ? range : nil
      )
      let encoder = EventEncoder(run: id, channels: [.status], keepsAccounts: true)
      var replayer = EventReplayer()
      replayer.append(.backfill(progress), stamp: Stamp(seq: 1, realtime: start, monotonic: 1))
      let sheets = MemorySheets()
      if let batch = replayer.take() { _ = encoder.append(batch, to: sheets) }
      let folder = PartPath(channel: .status, date: .init(realtime: start), symbol: nil).folder
      let file = try recording.storage.create("\(folder)/part-\(id)-000001.ndjson")
      for line in sheets.lines.values.flatMap(\.self) {
        try Array((line + "\n").utf8).withUnsafeBytes { try file.writeAll($0) }
      }
    }
    func state() throws -> RecordedBackfill {
      try #require(try recording.reader.backfills(of: recording.reader.gaps()).first)
    }
    #expect(try state().state == .none && state().rest != nil)
    try tell(1, .partial, 4, rest: true)
    #expect(try (state().state, state().bars, state().rest == nil) == (.partial, 4, false))
    try tell(2, .unavailable, 0, rest: true)
    #expect(try (state().state, state().bars, state().rest == nil) == (.partial, 4, false))
    // What was left is all there, but two minutes were missing before.
    try tell(3, .done, 4, rest: false)
    #expect(try (state().state, state().bars, state().rest == nil) == (.partial, 8, true))
    // Asked for again by name, it is all asked for: those bars are there twice, and count once.
    try tell(4, .done, 10, rest: false)
    #expect(try (state().state, state().bars, state().rest == nil) == (.done, 10, true))
  }

  @Test func whatIsFilledStandsInTheLogAsItIsRead() throws {
    let run = RunID(milliseconds: 5, random: 5)
    for backfill in [
      Backfill(gap: .named("01ABC-3"), conid: 265_598, range: 60..<120),
      Backfill(gap: .named("x"), conid: 1, exchange: "ARCA", range: 60..<120, source: .midpoint),
    ] {
      #expect(Backfill(topic: backfill.topic(in: run)) == backfill)
    }
    let own = Backfill(gap: .own(3), conid: 1, range: 60..<120)
    #expect(Backfill(topic: own.topic(in: run))?.gap == .named("\(run)-3"))
    for text in [
      "", "smh", "smh+1", "smh+1+g+2", "smh+1+g+5+4", "smh+0+g+1+2", "smh+x+g+1+2", "smh+1++1+2",
      "smd+1+g+1+2", "smh+1+g+1+2+gold", "smh+1+g+1+2+midpoint+", "smh+1+g+a+2",
    ] {
      #expect(Backfill(topic: text) == nil, "\(text)")
    }
  }

  @Test func whatIsTornInTheLogIsNoBar() {
    let run = RunID(milliseconds: 5, random: 5)
    let line =
      #"{"v":1,"run":"\#(run)","seq":1,"ts_recv":7,"ts_event":null,"mono":8,"dir":"self","#
      + #""op":"bars","topic":"TOPIC","msg":"{}","b64":null,"redacted":false}"#
    func read(_ topic: String) -> RawLine? {
      Array(line.replacing("TOPIC", with: topic).utf8).withUnsafeBytes { RawLine($0, of: run) }
    }
    #expect(read("smh") == nil)
    guard case .bars(let backfill, let bytes)? = read("smh+1+g+60+120")?.content else {
      Issue.record("it is not read")
      return
    }
    #expect(backfill.range == 60..<120 && bytes == Array("{}".utf8))
  }
}
