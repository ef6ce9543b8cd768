// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import IBKR
import JSON
import Testing

@testable import Recording

@Suite struct QuoteLineTests {
  let storage = MemoryStorage()
  let run = RunID(milliseconds: 1, random: 1)

  private func lines(_ source: inout EventSource) throws -> [String] {
    let writer = try RecordingWriter(
      storage: storage,
      channels: [.quote],
      keepsAccounts: false,
      run: RunRecord(run: run, start: 1, tool: "test")
    )
    try writer.learn([Instrument(conid: 265_598, symbol: "AAPL")], at: 0)
    writer.append(try source.take())
    try writer.write()
    return storage.lines(under: "ch=quote")
  }

  private func message(_ text: String, to source: inout EventSource, updated: Int64 = 1) {
    source.message(
      text.utf8,
      topic: .marketData,
      named: "smd+265598",
      conid: 265_598,
      updated: updated
    )
  }

  @Test func everyColumnInItsPlace() throws {
    var source = EventSource()
    source.realtime = 1_000_000
    message(
      #"{"server_id":"q1","conidEx":"265598","conid":265598,"_updated":7,"6119":"q1","84":"64.780","#
        + #""88":"1,300","86":65,"85":"0","31":"C4735.10","7059":"100","87":"12.2M","70":"-1","#
        + #""71":"N/A","7295":"","82":"+0.5","83":0.56,"6509":"DPB","58":"caf\"\u00e9","#
        + #""7633":"31.5%","topic":"smd+265598"}"#,
      to: &source,
      updated: 7
    )
    let line = try #require(lines(&source).first)
    let expected =
      #"{"v":1,"run":"\#(run)","seq":1,"ts_recv":2000000,"ts_event":7000000,"conid":265598,"#
      + #""symbol":"AAPL","snapshot":true,"bid":64.780,"bid_size":1300.0,"ask":65.0,"#
      + #""ask_size":0.0,"last":4735.10,"last_size":100.0,"volume":12200000.0,"open":null,"#
      + #""high":-1.0,"low":null,"close":null,"change":0.5,"change_pct":0.56,"changed":["bid","#
      + #""bid_size","ask","ask_size","last","last_size","volume","open","high","low","change","#
      + #""change_pct","text","implied_vol_percent"],"flags":["last_close","delayed"],"#
      + #""avail":"DPB","fields":"{\"volume\":\"12.2M\",\"text\":\"caf\\\"\\u00e9\","#
      + #"\"implied_vol_percent\":\"31.5%\"}"}"#
    #expect(line == expected)
    let value = try JSONValue(parsing: Array(line.utf8))
    let fields = try JSONValue(parsing: Array(#require(value["fields"]?.string).utf8))
    #expect(fields["text"]?.string == "caf\"é")
  }

  @Test func valuesStayUntilTheyChangeAndGoAtAGap() throws {
    var source = EventSource()
    let key = SubscriptionKey(topic: .marketData, target: "265598", conid: 265_598, number: 1)
    let start = Gap.Moment(realtime: 1, monotonic: 1)
    message(
      #"{"topic":"smd+265598","server_id":"q1","84":"1.0","86":"2.0","_updated":1}"#,
      to: &source
    )
    message(
      #"{"topic":"smd+265598","server_id":"q1","86":"2.5","_updated":2}"#,
      to: &source,
      updated: 2
    )
    source.own(
      .gap(
        Gap(
          id: 1,
          phase: .began,
          start: start,
          reason: .disconnect,
          detectedBy: "test",
          subscriptions: [key],
          seqFirst: 2
        )
      )
    )
    message(
      #"{"topic":"smd+265598","server_id":"q1","86":"3.0","_updated":3}"#,
      to: &source,
      updated: 3
    )
    let states = try lines(&source).map { line in
      let value = try JSONValue(parsing: Array(line.utf8))
      return [value["bid"]?.string, value["ask"]?.string, value["snapshot"]?.bool?.description]
    }
    #expect(
      states == [["1.0", "2.0", "true"], ["1.0", "2.5", "false"], [nil, "3.0", "true"]]
    )
  }

  @Test func onlyMessagesThatSaySomethingGetALine() throws {
    var source = EventSource()
    message(#"{"topic":"smd+265598","server_id":"q1","6509":"RB","_updated":1}"#, to: &source)
    message(#"{"topic":"smd+265598","server_id":"q1","6509":"RB","_updated":1}"#, to: &source)
    message(#"{"topic":"smd+265598","server_id":"q1","6508":"x","_updated":2}"#, to: &source)
    message(#"{"topic":"smd+265598","conid":"#, to: &source)
    message(#"{"topic":"smd+265598","error":"no","84":"1"}"#, to: &source)
    message(#"{"topic":"smd+265598","server_id":"q1","55":"-","_updated":2}"#, to: &source)
    let avail = try lines(&source).map { try JSONValue(parsing: Array($0.utf8))["avail"]?.string }
    #expect(avail == ["RB", "RB"])
  }

  @Test func bytesThatAreNoTextStayReadable() throws {
    var source = EventSource()
    source.message(
      Array(#"{"topic":"smd+265598","58":"caf"#.utf8) + [0x99] + Array(#"","84":"1"}"#.utf8),
      topic: .marketData,
      conid: 265_598
    )
    let line = try #require(lines(&source).first)
    let value = try JSONValue(parsing: Array(line.utf8))
    let fields = try JSONValue(parsing: Array(#require(value["fields"]?.string).utf8))
    #expect(fields["text"]?.string == "caf\u{FFFD}")
    #expect(value["bid"]?.string == "1.0")
  }
}

@Suite struct RoundTripTests {
  /// Random events become lines; read back, the lines give the events.
  @Test(arguments: 0..<20)
  func everyMessageComesBackByteForByte(_ seed: UInt64) throws {
    struct Sent {
      var bytes: [UInt8]
      var isInbound: Bool
      var kind: FrameKind
    }
    let storage = MemoryStorage()
    var random = SeededRandom(seed: seed)
    var source = EventSource()
    var sent: [Sent] = []
    let kinds: [FrameKind] = [.text, .binary, .ping, .pong, .close]
    let alphabet: [UInt8] = Array("{}[]\":,\\ \n\u{1}aé€".utf8) + [0x80, 0xFF, 0x00]
    for _ in 0..<100 {
      let count = Int.random(in: 0..<80, using: &random)
      let bytes = (0..<count).map { _ in alphabet[Int.random(in: alphabet.indices, using: &random)]
      }
      let kind = kinds[Int.random(in: kinds.indices, using: &random)]
      let isInbound = Bool.random(using: &random)
      sent.append(Sent(bytes: bytes, isInbound: isInbound, kind: kind))
      source.message(
        bytes,
        topic: Bool.random(using: &random) ? .unrecognised : .marketData,
        direction: isInbound ? .inbound : .outbound,
        kind: kind,
        conid: Int.random(in: 0..<3, using: &random),
        updated: Bool.random(using: &random) ? .min : Int64.random(in: 0..<1 << 40, using: &random)
      )
    }
    let batch = try source.take()
    let writer = try RecordingWriter(
      storage: storage,
      channels: Channel.standard,
      keepsAccounts: false,
      run: RunRecord(run: RunID(milliseconds: 1, random: 1), start: 1, tool: "test")
    )
    // In random slices, as the fan-out gives them.
    var index = batch.startIndex
    while index < batch.endIndex {
      let end = min(batch.endIndex, index + Int.random(in: 1...9, using: &random))
      writer.append(batch[index..<end])
      if Bool.random(using: &random) { try writer.write() }
      index = end
    }
    try writer.write()
    let rows = try storage.lines(under: "ch=raw").map { try JSONValue(parsing: Array($0.utf8)) }
    #expect(rows.count == sent.count)
    for (row, (record, sent)) in zip(rows, zip(batch.records, sent)) {
      let columns = row.members?.map(\.key)
      #expect(
        columns == [
          "v", "run", "seq", "ts_recv", "ts_event", "mono", "dir", "op", "topic", "msg", "b64",
          "redacted",
        ]
      )
      #expect(row["seq"]?.int == Int(record.seq))
      #expect(row["ts_recv"]?.int == Int(record.realtime))
      #expect(row["ts_event"]?.int == record.tsEvent.map { Int($0) })
      #expect(row["mono"]?.int == Int(record.monotonic))
      #expect(row["dir"]?.string == (sent.isInbound ? "in" : "out"))
      #expect(row["op"]?.string == "\(sent.kind)")
      #expect(row["redacted"]?.bool == false)
      let text = row["msg"]?.string.map { Array($0.utf8) }
      let base64 = try row["b64"]?.string.map { try Base64.decode($0) }
      #expect((text ?? base64) == sent.bytes)
      #expect((text == nil) != (base64 == nil))
    }
  }
}
