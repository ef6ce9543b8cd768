// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR

@testable import Recording

/// A run of random events, fed to a recorder that may be killed at any moment.
final class RandomRun {
  let id: RunID
  /// The lines that the log should have, without the one of the time before the run.
  private(set) var expected: [String] = []
  /// How many of them were written, and how many were safe, when the recorder was last heard of.
  private(set) var written = 0
  private(set) var safe = 0
  /// Whether the run came to its end.
  private(set) var hasEnded = false

  private var replayer = EventReplayer()
  private let encoder: EventEncoder
  private var seq: UInt64 = 0
  private var time: Int64
  private var gapIsOpen = false

  private static let keys = (1...3).map {
    SubscriptionKey(topic: .marketData, target: "\($0)", conid: $0, number: UInt32($0))
  }

  init(number: Int, start: Int64) throws {
    id = RunID(milliseconds: start / 1_000_000, random: UInt128(number))
    time = start
    encoder = EventEncoder(run: id, channels: [.raw], keepsAccounts: false)
  }

  /// Records until the disk says no more, or the number of batches is done.
  func record(
    on disk: DiskModel,
    batches: Int,
    sealing: RecordingWriter.Sealing,
    using random: inout SeededRandom
  ) {
    do {
      let writer = try RecordingWriter(
        storage: disk,
        channels: Set(Channel.allCases),
        keepsAccounts: false,
        sealing: sealing,
        run: RunRecord(run: id, start: time, tool: "test")
      )
      let instruments = (1...2).map { Instrument(conid: $0, symbol: "S\($0)") }
      try writer.learn(instruments, at: time)
      for _ in 0..<batches {
        if Int.random(in: 0..<10, using: &random) == 0, seq > 0 { lose(on: writer, using: &random) }
        guard let batch = batch(using: &random) else { continue }
        writer.append(batch)
        if Int.random(in: 0..<4, using: &random) > 0 {
          try writer.write()
          written = expected.count
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
          try writer.synchronize()
          safe = written
        }
        if Int.random(in: 0..<12, using: &random) == 0 { writer.rotate() }
        if Int.random(in: 0..<2, using: &random) == 0 { _ = try writer.sealOn(at: time) }
      }
      try writer.end(at: time)
      let sheets = MemorySheets()
      _ = encoder.finish(to: sheets)
      expected += sheets.lines.flatMap(\.value)
      (written, safe) = (expected.count, expected.count)
      hasEnded = true
    } catch {
      // Killed, as it was meant to be.
    }
  }

  /// The queue before the writer has dropped some events.
  private func lose(on writer: RecordingWriter, using random: inout SeededRandom) {
    let count = UInt64.random(in: 1..<5, using: &random)
    let loss = EventBatch.dropped(count: Int(count), range: seq + 1...seq + count)
    seq += count
    writer.append(loss)
    note(loss)
  }

  /// Notes the lines that the log should have of some events.
  private func note(_ batch: EventBatch) {
    let sheets = MemorySheets()
    _ = encoder.append(batch, to: sheets)
    expected += sheets.lines.sorted { $0.key < $1.key }.flatMap(\.value)
  }

  private func batch(using random: inout SeededRandom) -> EventBatch? {
    if seq == 0 { for key in Self.keys { own(.subscription(key, .active)) } }
    for _ in 0..<Int.random(in: 0..<8, using: &random) { event(using: &random) }
    guard let batch = replayer.take() else { return nil }
    note(batch)
    return batch
  }

  private func event(using random: inout SeededRandom) {
    let key = Self.keys[Int.random(in: 0..<3, using: &random)]
    switch Int.random(in: 0..<20, using: &random) {
    case 0:
      own(.connection(.open))
    case 1:
      gapIsOpen.toggle()
      let moment = Gap.Moment(realtime: time, monotonic: time / 2)
      own(
        .gap(
          Gap(
            id: 1,
            phase: gapIsOpen ? .began : .ended,
            start: moment,
            end: gapIsOpen ? nil : moment,
            reason: .disconnect,
            detectedBy: "a \"test\"",
            subscriptions: Self.keys,
            seqFirst: seq
          )
        )
      )
    case 2:
      message([0x22, 0x99, 0x22])
    case 3:
      message(Array(#"{"orders":[{"orderId":\#(seq)}],"snapshot":true}"#.utf8), kind: .poll)
    case 4:
      message(Array(#"[{"execution_id":"\#(seq / 2)"}]"#.utf8), kind: .resync)
    case 5...8:
      let samples = Self.samples
      let text = samples[Int.random(in: samples.indices, using: &random)]
      let number = Int.random(in: 0..<30, using: &random)
      message(Array(text.replacing("NNN", with: "\(number)").utf8))
    default:
      let price = Int.random(in: 100..<200, using: &random)
      // A new request every eight minutes, as the client makes them.
      let server = time / 480_000_000_000
      message(
        Array(
          """
          {"topic":"smd+\(key.target)","conid":\(key.target),"server_id":"q\(server)",\
          "_updated":\(time / 1_000_000),"84":"\(price).5","86":"\(price + 1)","7762":"\(price)"}
          """.utf8
        )
      )
    }
  }

  /// Messages of which other channels than quotes have rows, some of them several.
  private static let samples = [
    #"{"topic":"sor","args":[{"acct":"U1","orderId":NNN,"status":"Filled","price":""}]}"#,
    #"{"topic":"str","args":[{"execution_id":"x.NNN","account":"U1","price":"1.5","conid":1},"#
      + #"{"execution_id":"y.NNN","price":"2"}]}"#,
    #"{"topic":"str","args":[]}"#,
    #"{"topic":"spl","args":{"U1.Core":{"dpl":-5.NNN},"U2.Core":{"dpl":1}}}"#,
    #"{"result":[{"key":"A-S","monetaryValue":NNN},{"key":"B"}],"topic":"ssd+U1"}"#,
    #"{"result":[{"key":"LedgerListUSD","timestamp":NNN}],"topic":"sld+U1"}"#,
    #"{"topic":"sbd+U1+1","data":[{"row":0,"focus":1,"price":"5 @ 1.NNN"},{"row":1}]}"#,
    #"{"topic":"smh+2","serverId":"7","data":[{"o":1,"t":NNN},{"c":2,"t":NNN}]}"#,
    #"{"topic":"sts","args":{"competing":false}}"#,
    #"{"error":"Topic unknown 'xNNN'","code":1}"#,
  ]

  private var stamp: Stamp {
    seq += 1
    time += 7_000_000_000
    return Stamp(seq: seq, realtime: time, monotonic: time / 2)
  }

  private func own(_ event: OwnEvent) {
    replayer.append(event, stamp: stamp)
  }

  private func message(_ bytes: [UInt8], kind: FrameKind = .binary) {
    bytes.withUnsafeBytes {
      replayer.append($0, direction: .inbound, kind: kind, stamp: stamp)
    }
  }
}

/// Keeps lines in memory, by the folder that they belong to.
final class MemorySheets: LineSheets {
  private var sheets: [PartPath: LineSheet] = [:]

  func sheet(_ channel: Channel, symbol: String?, at realtime: Int64) -> LineSheet {
    let place = PartPath(channel: channel, date: UTCDate(realtime: realtime), symbol: symbol)
    if let sheet = sheets[place] { return sheet }
    let sheet = LineSheet()
    sheets[place] = sheet
    return sheet
  }

  /// The lines of each folder, in their order.
  var lines: [String: [String]] {
    var lines: [String: [String]] = [:]
    for (place, sheet) in sheets {
      let text = sheet.lines.withBytes { String(decoding: $0, as: UTF8.self) }
      lines[place.folder] = text.split(separator: "\n").map(String.init)
    }
    return lines
  }
}
