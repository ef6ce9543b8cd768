// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import Testing

@testable import Recording

@Suite struct RecordingWriterTests {
  let storage = MemoryStorage()
  let run = RunID(milliseconds: 1, random: 1)

  private func writer(
    channels: Set<Channel> = Channel.standard,
    keepsAccounts: Bool = false
  ) throws -> RecordingWriter {
    try RecordingWriter(
      storage: storage,
      channels: channels,
      keepsAccounts: keepsAccounts,
      run: RunRecord(run: run, start: 1, tool: "test")
    )
  }

  @Test func aMessageIsALineOfTheLog() throws {
    var source = EventSource()
    source.realtime = 41_000_000
    source.message(
      #"{"topic":"smd+265598","31":"C1.50"}"#.utf8,
      topic: .marketData,
      named: "smd+265598",
      conid: 265_598,
      updated: 17
    )
    let writer = try writer()
    writer.append(try source.take())
    try writer.write()
    #expect(
      storage.lines(under: "ch=raw") == [
        #"{"v":1,"run":"\#(run)","seq":1,"ts_recv":42000000,"ts_event":17000000,"#
          + #""mono":-1699999999958000000,"dir":"in","op":"binary","topic":"smd+265598","#
          + #""msg":"{\"topic\":\"smd+265598\",\"31\":\"C1.50\"}","b64":null,"redacted":false}"#
      ]
    )
  }

  @Test func everythingThatHappensIsInTheLogAndNothingElse() throws {
    var source = EventSource()
    let key = SubscriptionKey(topic: .marketData, target: "265598", conid: 265_598, number: 1)
    source.own(.connection(.connecting(attempt: 1)))
    source.own(.connection(.open))
    source.message("smd+265598+{}".utf8, topic: .marketData, direction: .outbound, kind: .text)
    source.message([], direction: .inbound, kind: .ping)
    source.message([], direction: .outbound, kind: .pong)
    source.message([0x22, 0x99, 0x22], topic: .unrecognised)
    source.own(.subscription(key, .requested(attempt: 1)))
    source.own(.session(SessionState()))
    source.message([0x03, 0xE8], direction: .outbound, kind: .close)
    source.own(.connection(.lost(.disconnect, description: "end of stream", retryAfter: 5)))
    let writer = try writer()
    writer.append(try source.take())
    try writer.end(at: 99)
    let lines = storage.lines(under: "ch=raw").map { String($0.split(separator: ",\"dir\":")[1]) }
    #expect(
      lines == [
        #""self","op":"connection","topic":null,"msg":"{\"state\":\"connecting\",\"attempt\":1}","#
          + #""b64":null,"redacted":false}"#,
        #""self","op":"connection","topic":null,"msg":"{\"state\":\"open\"}","#
          + #""b64":null,"redacted":false}"#,
        #""out","op":"text","topic":null,"msg":"smd+265598+{}","b64":null,"redacted":false}"#,
        #""in","op":"ping","topic":null,"msg":"","b64":null,"redacted":false}"#,
        #""out","op":"pong","topic":null,"msg":"","b64":null,"redacted":false}"#,
        #""in","op":"binary","topic":null,"msg":null,"b64":"Ipki","redacted":false}"#,
        #""self","op":"subscription","topic":null,"msg":"{\"topic\":\"smd\",\"target\":\"265598\","#
          + #"\"conid\":265598,\"number\":1,\"state\":\"requested\",\"attempt\":1}","#
          + #""b64":null,"redacted":false}"#,
        #""self","op":"session","topic":null,"msg":"{\"phase\":null,\"reason\":\"\","#
          + #"\"connected\":null,\"authenticated\":null,\"established\":null,"#
          + #"\"competing\":null,\"failure\":\"\",\"waiting_for_session\":false}","#
          + #""b64":null,"redacted":false}"#,
        #""out","op":"close","topic":null,"msg":null,"b64":"A+g=","redacted":false}"#,
        #""self","op":"connection","topic":null,"msg":"{\"state\":\"lost\",\"reason\":\"disconnect\","#
          + #"\"description\":\"end of stream\",\"retry_after_ns\":5}","b64":null,"redacted":false}"#,
      ]
    )
    #expect(
      storage.text("runs/\(run).json")?.contains(#""ts_end":99,"seq_first":1,"seq_last":10"#)
        == true
    )
  }

  @Test func aGapIsOneLineWhenItIsOver() throws {
    let apple = SubscriptionKey(topic: .marketData, target: "1", conid: 1, number: 1)
    let arca = SubscriptionKey(topic: .marketData, target: "1@ARCA", conid: 1, number: 2)
    let other = SubscriptionKey(topic: .marketData, target: "2", conid: 2, number: 3)
    let start = Gap.Moment(realtime: 5, monotonic: 4)
    func gap(_ phase: Gap.Phase, end: Gap.Moment?, seqLast: UInt64?) -> OwnEvent {
      .gap(
        Gap(
          id: 7,
          phase: phase,
          start: start,
          end: end,
          reason: .machineSuspend,
          detectedBy: "the clocks",
          subscriptions: [apple, arca, other],
          count: nil,
          seqFirst: 3,
          seqLast: seqLast
        )
      )
    }
    var source = EventSource()
    source.realtime = -1_000_000
    source.own(gap(.began, end: nil, seqLast: nil))
    source.own(gap(.ended, end: .init(realtime: 9, monotonic: 8), seqLast: 6))
    source.own(gap(.abandoned, end: nil, seqLast: nil))
    let writer = try writer()
    try writer.learn([Instrument(conid: 1, symbol: "AAPL")], at: 0)
    writer.append(try source.take())
    try writer.write()
    let head =
      #"{"v":1,"run":"\#(run)","seq":2,"ts_recv":1000000,"ts_event":null,"gap_id":"\#(run)-7","#
    #expect(
      storage.lines(under: "ch=gap") == [
        head + #""ts_start":5,"ts_end":9,"mono_start":4,"mono_end":8,"reason":"machine_suspend","#
          + #""symbols":["AAPL","AAPL@ARCA","2"],"conids":[1,2],"detected_by":"the clocks","#
          + #""count":null,"seq_first":3,"seq_last":6,"run_prev":null,"backfill":"none"}"#,
        head.replacing("\"seq\":2,\"ts_recv\":1000000", with: "\"seq\":3,\"ts_recv\":2000000")
          + #""ts_start":5,"ts_end":null,"mono_start":4,"mono_end":null,"reason":"machine_suspend","#
          + #""symbols":["AAPL","AAPL@ARCA","2"],"conids":[1,2],"detected_by":"the clocks","#
          + #""count":null,"seq_first":3,"seq_last":null,"run_prev":null,"backfill":"none"}"#,
      ]
    )
    #expect(storage.lines(under: "ch=raw").count == 3)
  }

  /// A sink whose policy drops has lost events: it says so itself, whether anything comes after them.
  @Test(arguments: [true, false])
  func whatTheQueueHasDroppedIsAGap(_ goesOn: Bool) throws {
    let key = SubscriptionKey(topic: .marketData, target: "1", conid: 1, number: 1)
    func quote(_ source: inout EventSource, _ price: String) {
      let text = #"{"topic":"smd+1","conid":1,"31":"\#(price)"}"#
      source.message(text.utf8, topic: .marketData, named: "smd+1", conid: 1)
    }
    let writer = try writer()
    var source = EventSource()
    source.own(.subscription(key, .active))
    quote(&source, "1")
    writer.append(try source.take())
    for _ in 0..<5 { quote(&source, "2") }
    _ = try source.take()
    // The queue may tell of one loss in two pieces.
    writer.append(.dropped(count: 2, range: 3...4))
    writer.append(.dropped(count: 3, range: 5...7))
    if goesOn {
      source.message(#"{"topic":"smd+1","conid":1,"84":"3"}"#.utf8, topic: .marketData, conid: 1)
      writer.append(try source.take())
    }
    try writer.end(at: source.realtime)

    let log = storage.lines(under: "ch=raw")
    #expect(log.compactMap(Self.seq) == [1, 2, 7] + (goesOn ? [8] : []))
    let gap = try #require(storage.lines(under: "ch=gap").first)
    #expect(storage.lines(under: "ch=gap").count == 1)
    #expect(gap.contains(#""seq":7,"#) && gap.contains(#""gap_id":"\#(run)-1000000007","#))
    #expect(gap.contains(#""reason":"overflow","symbols":["1"],"conids":[1],"#))
    #expect(gap.contains(#""count":5,"seq_first":2,"seq_last":8,"#))
    // No value from before the loss reads as one of now.
    let quotes = storage.lines(under: "ch=quote")
    #expect(quotes.count == (goesOn ? 2 : 1))
    #expect(quotes.last?.contains(#""last":\#(goesOn ? "null" : "1.0"),"#) == true)
    let report = try RecordingVerifier(storage: storage, deep: true).verify()
    #expect(report.findings == [])
  }

  private static func seq(_ line: String) -> Int? {
    guard let start = line.firstRange(of: "\"seq\":") else { return nil }
    return Int(line[start.upperBound...].prefix { $0 != "," })
  }

  /// The gap that the client tells of is given the count, and there is no other.
  @Test func aLossThatTheClientTellsOfIsNotToldTwice() throws {
    let writer = try writer()
    var source = EventSource()
    func gap(_ phase: Gap.Phase, count: UInt64?, seqLast: UInt64?) -> OwnEvent {
      let moment = Gap.Moment(realtime: source.realtime, monotonic: 1)
      return .gap(
        Gap(
          id: 1,
          phase: phase,
          start: moment,
          end: phase == .ended ? moment : nil,
          reason: .overflow,
          detectedBy: "a slow subscriber",
          subscriptions: [],
          count: count,
          seqFirst: 0,
          seqLast: seqLast
        )
      )
    }
    source.own(gap(.began, count: nil, seqLast: nil))
    writer.append(try source.take())
    for _ in 0..<3 { source.message("{}", topic: .unrecognised) }
    _ = try source.take()
    writer.append(.dropped(count: 3, range: 2...4))
    source.own(gap(.ended, count: 9, seqLast: 5))
    writer.append(try source.take())
    try writer.end(at: source.realtime)
    #expect(storage.lines(under: "ch=raw").compactMap(Self.seq) == [1, 5])
    let lines = storage.lines(under: "ch=gap")
    #expect(lines.count == 1 && lines.first?.contains(#""count":3,"seq_first":0,"#) == true)
    #expect(try RecordingVerifier(storage: storage).verify().findings == [])
  }

  @Test func secretsReachNeitherMessagesNorTopicsNorEvents() throws {
    var source = EventSource()
    let key = SubscriptionKey(topic: .accountLedger, target: "U77", conid: nil, number: 1)
    source.own(.subscription(key, .active))
    source.message("sld+U77+{}".utf8, topic: .accountLedger, named: "sld+U77", direction: .outbound)
    source.message(
      #"{"topic":"sld+U77","result":[{"acctCode":"U77"}]}"#,
      topic: .accountLedger,
      named: "sld+U77"
    )
    source.message(#"{"session":"e5af95"}"#.utf8, direction: .outbound)
    let batch = try source.take()
    let writer = try writer()
    writer.append(batch)
    try writer.write()
    let lines = storage.lines(under: "ch=raw")
    #expect(lines.count == 4)
    for line in lines {
      #expect(!line.contains("U77") && !line.contains("e5af95"))
      #expect(line.hasSuffix("\"redacted\":true}"))
    }
    #expect(lines[2].contains(#""topic":"sld+acct-1","msg""#))
  }

  @Test func onlyTheChannelsThatAreWantedAreWritten() throws {
    var source = EventSource()
    source.message("{}", topic: .unrecognised)
    let writer = try writer(channels: [.gap])
    writer.append(try source.take())
    try writer.end(at: 1)
    #expect(storage.paths == ["runs/\(run).json"])
  }

  @Test func aSealedPartIsInTheManifest() throws {
    var source = EventSource()
    source.message("{}", topic: .unrecognised)
    source.message("{}", topic: .unrecognised)
    let writer = try writer()
    writer.append(try source.take())
    try writer.end(at: 1)
    let part = "ch=raw/date=2026-11-23/part-\(run)-000001.ndjson.gz"
    let manifest = try #require(storage.text("_manifest.ndjson"))
    #expect(
      manifest.hasPrefix(
        #"{"v":1,"path":"\#(part)","run":"\#(run)","ch":"raw","lines":2,"seq_first":1,"seq_last":2,"#
      )
    )
    #expect(manifest.hasSuffix("\"}\n"))
  }

  @Test func onlyWhatIsTooMuchOrTooOldIsRemoved() throws {
    func record(_ id: Int64, keep: Retention, at day: Int64) throws -> [String] {
      var source = EventSource()
      source.realtime = day * 86_400_000_000_000
      source.message("{}", topic: .unrecognised)
      var sealing = RecordingWriter.Sealing()
      sealing.retention = keep
      let writer = try RecordingWriter(
        storage: storage,
        channels: [.raw],
        keepsAccounts: false,
        sealing: sealing,
        run: RunRecord(
          run: RunID(milliseconds: id, random: 1),
          start: day * 86_400_000_000_000,
          tool: "test"
        )
      )
      writer.append(try source.take())
      try writer.end(at: day * 86_400_000_000_000 + 5_000_000)
      return storage.paths.filter { $0.hasPrefix("ch=raw") }
    }
    #expect(try record(1, keep: Retention(), at: 100).count == 1)
    #expect(try record(2, keep: Retention(age: .seconds(86_400 * 2 + 60)), at: 102).count == 2)
    let rest = try record(3, keep: Retention(age: .seconds(86_400 * 2 + 60)), at: 104)
    #expect(rest.count == 2 && rest.allSatisfy { !$0.contains("1970-04-11") })
    #expect(try record(4, keep: Retention(size: 1), at: 105) == [])
    let manifest = try Manifest(of: storage)
    #expect(manifest.entries.isEmpty && manifest.removals.count == 4)
    #expect(Set(manifest.removals.values.map(\.reason)) == ["age", "size"])
  }

  @Test func asLongAsItLivesNobodyElseMayWrite() throws {
    do {
      let first = try writer()
      #expect(throws: StorageError.self) { try writer() }
      withExtendedLifetime(first) {}
    }
    _ = try writer()
  }
}
