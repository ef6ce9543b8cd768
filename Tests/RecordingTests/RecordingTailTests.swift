// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import Testing

@testable import Recording

@Suite struct RecordingTailTests {
  private let storage = MemoryStorage()
  private let day: Int64 = 86_400_000_000_000

  private func writer(_ number: Int, at time: Int64, codec: PartCodec?) throws -> RecordingWriter {
    var sealing = RecordingWriter.Sealing()
    sealing.codec = codec
    return try RecordingWriter(
      storage: storage,
      channels: Channel.standard,
      keepsAccounts: false,
      sealing: sealing,
      run: RunRecord(
        run: RunID(milliseconds: time / 1_000_000, random: UInt128(number)),
        start: time,
        tool: "test"
      )
    )
  }

  private func quote(_ number: Int) -> [UInt8] {
    Array(#"{"topic":"smd+1","conid":1,"_updated":\#(number),"84":"\#(number).5"}"#.utf8)
  }

  @Test(arguments: Codecs.all)
  func itFollowsPartsSealingDaysAndRuns(_ codec: PartCodec?) throws {
    let start: Int64 = 1_795_478_000_000_000_000
    var tail = RecordingTail(of: RecordingReader(storage: storage), channels: [.raw, .quote, .gap])
    var seen: [[UInt8]] = []
    var expected = 0
    for run in 0..<2 {
      var source = EventSource()
      source.realtime = start + Int64(run) * day
      let writer = try writer(run, at: source.realtime, codec: codec)
      if run > 0 { expected += 2 }
      for step in 0..<30 {
        if step == 20 { source.realtime += day / 2 }
        source.message(quote(step), topic: .marketData, named: "smd+1", conid: 1)
        writer.append(try source.take())
        expected += 2
        if step % 3 != 1 { try writer.write() }
        if step % 7 == 3 { writer.rotate() }
        if step % 2 == 0 { _ = try writer.sealOn(at: source.realtime) }
        if step % 5 == 2 {
          seen += try step == 2 && run == 0 ? tail.last(1_000) : tail.next(at: source.realtime)
        }
      }
      try writer.end(at: source.realtime)
      seen += try tail.next(at: source.realtime)
    }
    #expect(seen.count == expected)
    let all = storage.lines(under: "ch=").map { Array($0.utf8) + [0x0A] }
    #expect(Set(seen) == Set(all) && seen.count == all.count)
    #expect(try tail.next(at: start + 2 * day).isEmpty)
  }

  @Test func theLastLinesAreThoseWithTheHighestNumbers() throws {
    let recording = try DamagedRecording(compressed: true)
    let reader = RecordingReader(storage: recording.disk)
    var all = RecordingTail(of: reader, channels: [.raw])
    let lines = try all.last(.max / 8)
    for count in [0, 1, 10, 25, lines.count + 5] {
      var tail = RecordingTail(of: reader, channels: [.raw])
      #expect(try tail.last(count) == Array(lines.suffix(count)))
    }
    var one = RecordingTail(of: reader, channels: [.quote], symbols: ["S1"])
    let quotes = try one.last(20).map { String(decoding: $0, as: UTF8.self) }
    #expect(!quotes.isEmpty && quotes.allSatisfy { $0.contains("\"symbol\":\"S1\"") })
  }
}
