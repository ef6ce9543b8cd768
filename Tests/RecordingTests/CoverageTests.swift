// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON
import Testing

@testable import Recording

@Suite struct CoverageTests {
  private static let second: Int64 = 1_000_000_000

  @Test(arguments: [false, true])
  func numbersAreThoseOfTheStatistics(_ isCompressed: Bool) throws {
    let reader = RecordingReader(storage: try DamagedRecording(compressed: isCompressed).disk)
    let coverage = try RecordingCoverage(of: reader)
    let rows = try RecordingStatistics(of: reader).rows.filter { $0.channel == .quote }
    #expect(coverage.messages == rows.first?.rows)
    #expect(coverage.symbols.map(\.symbol) == rows.dropFirst().compactMap(\.symbol))
    #expect(coverage.gaps.map(\.recorded) == (try reader.gaps()))
    for (symbol, row) in zip(coverage.symbols, rows.dropFirst()) {
      #expect(symbol.messages == row.rows)
      #expect(symbol.buckets.reduce(0) { $0 + $1.messages } == row.rows)
      #expect(symbol.received == row.received)
      #expect(symbol.gaps == row.gaps)
      #expect(symbol.missingNanoseconds >= row.gapNanoseconds)
      #expect(symbol.latency.count + symbol.images <= row.rows)
    }
  }

  /// An excerpt has the rows that it should, of the instruments that it names.
  @Test func excerptsAreThoseOfTheRows() throws {
    let reader = RecordingReader(storage: try DamagedRecording(compressed: true).disk)
    var times: [String: [Int64]] = [:]
    var conids: [String: Int] = [:]
    for part in try reader.parts(of: [.quote]) {
      try reader.forEachLine(of: part) { line in
        guard let row = CoverageLine(line), let symbol = JSONString.text(row.symbol) else { return }
        times[symbol, default: []].append(row.realtime)
        conids[symbol] = row.conid
      }
    }
    let all = times.values.joined().sorted()
    let (from, to) = (all[all.count / 4], all[all.count * 3 / 4])
    for (symbol, conid) in conids {
      let excerpt = Excerpt(from: from, to: to, conids: [conid])
      let found = try RecordingCoverage(of: reader, excerpt: excerpt)
      let expected = times[symbol]?.filter { $0 >= from && $0 < to } ?? []
      #expect(found.messages == expected.count)
      #expect(found.symbols.first { $0.symbol == symbol }?.received?.upperBound == expected.max())
      #expect(found.range.map { $0.lowerBound >= from && $0.upperBound < to } == true)
      for span in found.symbols.flatMap(\.missing) { #expect(span.start >= from && span.end < to) }
    }
  }

  /// However long a recording is and in whatever order its rows come, each row is in the bucket of its
  /// time.
  @Test(arguments: [1, 90, 20_000, 3_000_000, 400_000_000] as [Int64])
  func bucketsHoldWhatFallsIntoThem(_ seconds: Int64) throws {
    let recording = try QuoteRecording()
    var random = SeededRandom(seed: UInt64(seconds))
    let quotes = (0..<800).map { number in
      QuoteRecording.Quote(
        time: recording.start + Int64.random(in: 0...seconds * Self.second, using: &random),
        last: number % 7 == 0 ? nil : "\(Int.random(in: 100...999, using: &random)).5"
      )
    }
    try recording.write(quotes, of: "AAPL")
    let coverage = try RecordingCoverage(of: recording.reader)
    let width = coverage.bucketNanoseconds
    let symbol = try #require(coverage.symbols.first)
    #expect(symbol.buckets.count <= 1_500)
    #expect(width == Self.second || seconds * Self.second / width >= 1_500 / 15)
    let expected = Dictionary(grouping: quotes) { $0.time / width * width }
    #expect(Set(expected.keys) == Set(symbol.buckets.map(\.start)))
    for bucket in symbol.buckets {
      let rows = expected[bucket.start] ?? []
      let prices = rows.compactMap(\.last).compactMap { Decimal($0) }
      #expect(bucket.messages == rows.count)
      #expect(bucket.prices?.low == prices.min())
      #expect(bucket.prices?.high == prices.max())
    }
    // One after the other, the last price of a bucket is that of its last row.
    let sorted = try QuoteRecording()
    try sorted.write(quotes.sorted { $0.time < $1.time }, of: "AAPL")
    let inOrder = try RecordingCoverage(of: sorted.reader).symbols.first?.buckets ?? []
    for bucket in inOrder {
      let rows = (expected[bucket.start] ?? []).sorted { $0.time < $1.time }
      #expect(bucket.prices?.last == rows.compactMap(\.last).last.flatMap { Decimal($0) })
    }
  }

  @Test func manyInstrumentsShareTheBuckets() throws {
    let recording = try QuoteRecording()
    for number in 0..<300 {
      let quotes = (0..<10).map {
        QuoteRecording.Quote(time: recording.start + Int64($0) * 3_000 * Self.second)
      }
      try recording.write(quotes, of: "S\(number)", conid: number, part: 1)
    }
    let coverage = try RecordingCoverage(of: recording.reader)
    #expect(coverage.messages == 3_000)
    // 27,000 seconds are 450 minutes, for which 500 buckets each are enough.
    #expect(coverage.bucketNanoseconds == 60 * Self.second)
  }

  @Test func gapsAreCutApartAndCountedOnce() throws {
    let recording = try QuoteRecording()
    let start = recording.start
    try recording.write(
      [.init(time: start), .init(time: start + 100 * Self.second)],
      of: "AAPL"
    )
    try recording.writeGap(
      1,
      from: start + 10 * Self.second,
      to: start + 30 * Self.second,
      symbols: ["AAPL", "MSFT"]
    )
    try recording.writeGap(
      2,
      from: start + 20 * Self.second,
      to: start + 40 * Self.second,
      reason: "auth",
      symbols: ["AAPL"]
    )
    // Its end is that of what is known of the run.
    try recording.writeGap(3, from: start + 90 * Self.second, to: nil, symbols: ["AAPL"])
    try recording.writeBars(3, for: 2)
    let coverage = try RecordingCoverage(of: recording.reader)
    #expect(coverage.gaps.map(\.bars) == [0, 3, 0])
    #expect(coverage.symbols.map(\.symbol) == ["AAPL", "MSFT"])
    let apple = coverage.symbols[0]
    #expect(apple.missing.map { ($0.end - $0.start) / Self.second } == [20, 10, 10])
    #expect(apple.missing.map(\.reason) == [.disconnect, .auth, .disconnect])
    #expect(apple.gaps == 3)
    #expect(coverage.symbols[1].missingNanoseconds == 20 * Self.second)
    // 60 of AAPL's 100 seconds, and none of MSFT's 20.
    #expect(coverage.share.map { abs($0 - 0.5) < 1e-9 } == true)
    let timeline = apple.timeline(every: 15 * Self.second)
    #expect(timeline.reduce(0) { $0 + $1.missingNanoseconds } == apple.missingNanoseconds)
    #expect(timeline.reduce(0) { $0 + ($1.bucket?.messages ?? 0) } == 2)
  }

  @Test func whatIsNoQuoteIsDamage() throws {
    let recording = try DamagedRecording(compressed: false)
    let path = try recording.part(0, of: "quote")
    try recording.changeLines(path) { $0[0] = String($0[0].dropLast(5)) }
    let error = #expect(throws: StorageError.self) {
      try RecordingCoverage(of: RecordingReader(storage: recording.disk))
    }
    #expect(error?.code == .damaged)
    #expect(error?.description.contains(path) == true)
  }

  @Test func linesAreJSONAndAddUp() throws {
    let reader = RecordingReader(storage: try DamagedRecording(compressed: true).disk)
    let coverage = try RecordingCoverage(of: reader)
    var text = ""
    coverage.forEachJSON { text += $0 }
    let lines = try text.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
    #expect(lines.first?["kind"]?.string == "recording")
    #expect(lines.first?["messages"]?.int == coverage.messages)
    let buckets = lines.filter { $0["kind"]?.string == "bucket" }
    #expect(buckets.reduce(0) { $0 + ($1["messages"]?.int ?? 0) } == coverage.messages)
    #expect(lines.count { $0["kind"]?.string == "symbol" } == coverage.symbols.count)
  }

  @Test func anEmptyRecordingHasNothingToShow() throws {
    let coverage = try RecordingCoverage(of: RecordingReader(storage: MemoryStorage()))
    #expect(coverage.range == nil && coverage.share == nil && coverage.symbols.isEmpty)
    #expect(CoveragePage(of: coverage, named: "x").html.contains("nothing to show"))
  }
}

@Suite struct LatencyHistogramTests {
  @Test(arguments: [1, 2, 3, 10, 999, 5_000])
  func percentilesAreRightToTwoDigits(_ count: Int) {
    var random = SeededRandom(seed: UInt64(count))
    var histogram = LatencyHistogram()
    var exact: [Int64] = []
    for _ in 0..<count {
      let magnitude = Int.random(in: 1...40, using: &random)
      let latency = Int64.random(in: 0..<1 << magnitude, using: &random)
      histogram.add(latency)
      exact.append(latency)
    }
    exact.sort()
    for percent in [0.0, 1, 50, 90, 99, 100] {
      let rank = max(1, Int((percent / 100 * Double(count)).rounded(.up)))
      #expect(histogram.percentile(percent) == Self.rounded(exact[rank - 1]))
    }
    #expect(histogram.max == exact.last)
    #expect(histogram.bars.reduce(0) { $0 + $1.count } == count)
    for bar in histogram.bars {
      #expect(bar.count == exact.count { $0 >= (bar.from == 10 ? 0 : bar.from) && $0 < bar.to })
    }
  }

  /// To two digits, downwards; below 10 ns there is nothing.
  private static func rounded(_ latency: Int64) -> Int64 {
    var (digits, unit): (Int64, Int64) = (latency, 1)
    while digits >= 100 { (digits, unit) = (digits / 10, unit * 10) }
    return latency <= 10 ? 0 : digits * unit
  }

  @Test func whatComesBeforeItWasSentIsCountedApart() {
    var histogram = LatencyHistogram()
    #expect(histogram.percentile(50) == nil && histogram.bars.isEmpty && histogram.max == nil)
    histogram.add(-5)
    #expect(histogram.percentile(50) == 0)
    #expect(histogram.max == -5)
    histogram.add(.max)
    histogram.add(.min)
    #expect(histogram.early == 2 && histogram.count == 3)
    #expect(histogram.percentile(100) == 9_200_000_000_000_000_000)
  }
}
