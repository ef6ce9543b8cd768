// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON
import Testing

@testable import Recording

@Suite struct ReadingTests {
  @Test(arguments: [false, true])
  func everyLineIsReadOnceAndInOrder(_ isCompressed: Bool) throws {
    let recording = try DamagedRecording(compressed: isCompressed)
    let reader = RecordingReader(storage: recording.disk)
    var numbers: [RunID: [UInt64]] = [:]
    var lines: Set<String> = []
    for part in try reader.parts() {
      #expect(part.isCompressed == isCompressed)
      try reader.forEachLine(of: part) { line in
        lines.insert("\(part.name.folder) \(String(decoding: line, as: UTF8.self))")
        guard part.channel == .raw, let head = LineHead(line, of: part.run) else { return }
        numbers[part.run, default: []].append(head.seq)
      }
    }
    #expect(lines == (try recording.goodLines()))
    #expect(try Set(numbers.keys) == Set(reader.runs()))
    for found in numbers.values { #expect(found == found.sorted() && found.count > 20) }
  }

  @Test func ofAPartThatIsThereTwiceTheWholeOneIsRead() throws {
    let recording = try DamagedRecording(compressed: true)
    let path = try recording.part(0, of: "raw")
    let name = try #require(PartName(path))
    // A crash in the middle of sealing: the compressed file is not whole, the plain one is.
    var plain: [UInt8] = []
    _ = try PartReader(path, storage: recording.disk).forEachLine { line in
      plain += Array(line.bytes) + [0x0A]
    }
    recording.disk.set(name.plainPath, plain)
    try recording.change(path) { $0.removeLast(30) }
    let parts = try RecordingReader(storage: recording.disk).parts(of: [.raw])
    #expect(parts.map(\.path).contains(name.plainPath))
    #expect(!parts.map(\.path).contains(path))
  }

  @Test func aPartThatIsSealedMeanwhileIsReadAllTheSame() throws {
    let recording = try DamagedRecording(compressed: true)
    let path = try recording.part(0, of: "raw")
    let name = try #require(PartName(path))
    let part = try #require(PartName(name.plainPath).flatMap(RecordedPart.init))
    var count = 0
    try RecordingReader(storage: recording.disk).forEachLine(of: part) { _ in count += 1 }
    #expect(count > 0)
  }

  @Test(arguments: [false, true])
  func damageIsAnErrorThatNamesThePart(_ isCompressed: Bool) throws {
    let recording = try DamagedRecording(compressed: isCompressed)
    let path = try recording.part(1, of: "raw")
    if isCompressed {
      try recording.change(path) { $0[$0.count / 2] ^= 0x55 }
    } else {
      try recording.changeLines(path) { $0[1] = "{\"v\":1" }
    }
    let error = #expect(throws: StorageError.self) {
      try RecordingStatistics(of: RecordingReader(storage: recording.disk))
    }
    #expect(error?.code == .damaged)
    #expect(error?.description.contains(path) == true)
  }

  @Test func aTornLastLineOfAnOpenPartIsNoDamage() throws {
    let recording = try DamagedRecording(compressed: false)
    let path = try recording.part(-1, of: "raw")
    let before = try RecordingStatistics(of: RecordingReader(storage: recording.disk))
    try recording.change(path) { $0 += Array("{\"v\":1,\"run".utf8) }
    let after = try RecordingStatistics(of: RecordingReader(storage: recording.disk))
    #expect(before.rows.map(\.rows) == after.rows.map(\.rows))
  }

  @Test func statisticsAreThoseOfTheLines() throws {
    let recording = try DamagedRecording(compressed: true)
    let reader = RecordingReader(storage: recording.disk)
    let rows = try RecordingStatistics(of: reader).rows
    #expect(Set(rows.map(\.channel)).isSuperset(of: [.raw, .quote, .gap]))
    var counts: [String: Int] = [:]
    var bids: [String: Decimal] = [:]
    var times: [Int64] = []
    for part in try reader.parts(of: [.quote]) {
      try reader.forEachLine(of: part) { line in
        guard let value = try? JSONValue(parsing: line), let symbol = value["symbol"]?.string else {
          return
        }
        counts[symbol, default: 0] += 1
        times.append(Int64(value["ts_recv"]?.int ?? 0))
        guard case .number(let bid)? = value["bid"], let bid = Decimal(bid) else { return }
        let sum = bids[symbol] ?? Decimal(0)
        // All bids of the fixture have one digit behind the point, or none.
        let tenths = [sum, bid].map { $0.exponent == 0 ? $0.mantissa * 10 : $0.mantissa }
        bids[symbol] = Decimal(mantissa: tenths[0] + tenths[1], exponent: -1)
      }
    }
    let quotes = rows.filter { $0.channel == .quote }
    #expect(quotes.first?.symbol == nil)
    #expect(quotes.first?.rows == times.count)
    #expect(quotes.first?.received == times.min()!...times.max()!)
    for row in quotes.dropFirst() {
      let symbol = try #require(row.symbol)
      #expect(row.rows == counts[symbol])
      let bid = try #require(row.columns.first { $0.name == "bid" })
      #expect(bid.sum == bids[symbol])
      #expect(try JSONValue(parsing: Array(row.json.utf8))["rows"]?.int == row.rows)
    }
    let gaps = try reader.gaps()
    #expect(!gaps.isEmpty && rows.allSatisfy { $0.symbol != nil || $0.gaps == gaps.count })
    #expect(gaps.map(\.start) == gaps.map(\.start).sorted())
    #expect(gaps.contains { $0.reason == .processDown })
  }

  @Test(
    arguments: [
      (["1", "2.5", "0.25"], "3.75"), (["-1.10", "1.1"], "0.00"), (["1e3", "0.001"], "1000.001"),
      (["7"], "7"), (["12345678901234567890", "1"], "12345678901234567891"),
    ] as [([String], String)]
  )
  func sumsAreExact(_ numbers: [String], _ sum: String) throws {
    var column = ColumnStatistics(name: "x")
    for number in numbers { column.count(Decimal(number)) }
    column.count(nil)
    #expect(column.sum == Decimal(sum))
    #expect(column.count == numbers.count + 1)
  }

  @Test func aSumWithTooManyDigitsIsNone() throws {
    var column = ColumnStatistics(name: "x")
    column.count(Decimal(mantissa: .max, exponent: 0))
    column.count(Decimal(1))
    #expect(column.sum == nil)
    column.count(Decimal(mantissa: 1, exponent: 300))
    #expect(column.sum == nil && column.count == 3)
  }

  /// As `--time iso` writes them.
  @Test func timesMayBeText() throws {
    let time = "2026-11-23T14:30:00.123456789Z"
    let line = """
      {"v":1,"run":"r","seq":1,"ts_recv":"\(time)","ts_event":"\(time)","gap_id":"r-1",\
      "ts_start":"\(time)","ts_end":"\(time)","reason":"auth","symbols":[],"conids":[]}
      """
    let expected: Int64 = 1_795_444_200_123_456_789
    try Array(line.utf8).withUnsafeBytes { bytes in
      let fields = try #require(LineFields(bytes))
      #expect(fields.realtime == expected && fields.event == expected)
      let gap = try #require(RecordedGap(bytes))
      #expect(gap.start == expected && gap.end == expected)
    }
  }
}
