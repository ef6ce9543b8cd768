// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import IBKR
import JSON
import Testing

@testable import Recording

@Suite struct CoveragePageTests {
  private static let hostile = [
    "</script><script>alert(1)</script>", "<!--<script>", "\"><img src=x onerror=alert(1)>",
    "'&amp;\u{2028}", "\u{202E}LPAA", "A\u{0}\u{1B}[31m",
  ]

  private static func page(of symbols: [String], named name: String) throws -> String {
    let recording = try QuoteRecording()
    for (number, symbol) in symbols.enumerated() {
      let quotes = [QuoteRecording.Quote(time: recording.start, last: "1.25")]
      try recording.write(quotes, of: symbol, conid: number + 1, part: number + 1)
    }
    try recording.writeGap(1, from: recording.start, to: recording.start + 9, symbols: symbols)
    return CoveragePage(of: try RecordingCoverage(of: recording.reader), named: name).html
  }

  @Test func namesAreTextWhereverTheyStand() throws {
    let html = try Self.page(of: Self.hostile, named: "</title><script>alert(2)</script>")
    #expect(html.components(of: "<script").count == 3)
    #expect(html.components(of: "</script").count == 3)
    #expect(html.components(of: "<img").count == 1)
    #expect(html.components(of: "<!--").count == 1)
    #expect(html.components(of: "</title>").count == 2)
    #expect(!html.utf8.contains(0))
    let data = try Self.data(of: html)
    #expect(data["symbols"]?.elements?.compactMap { $0["name"]?.string } == Self.hostile.sorted())
  }

  @Test func thePolicyAllowsThisScriptAndStyleAndNothingElse() throws {
    let html = try Self.page(of: ["AAPL", "MSFT"], named: "data")
    let policy = try #require(html.between("Content-Security-Policy\" content=\"", "\""))
    #expect(policy.hasPrefix("default-src 'none'; "))
    #expect(!policy.contains("unsafe") && !policy.contains("http"))
    for (element, end) in [("<style>", "</style>"), ("<script>", "</script>")] {
      let text = try #require(html.between(element, end))
      let digest = Base64.encode(try Digest.of(Array(text.utf8), .sha256))
      #expect(policy.contains("'sha256-\(digest)'"))
    }
    // Nothing is asked for, and nothing is set up where the policy would refuse it.
    for word in [" src=", "@import", "url(", " style=", " onclick", "fetch(", "XMLHttp"] {
      #expect(!html.contains(word), "\(word)")
    }
  }

  /// A hundred instruments of which every minute of a day has messages and prices.
  @Test func aDayOfAHundredInstrumentsIsBelowTwoMegabytes() throws {
    let recording = try QuoteRecording(start: 1_795_392_000_000_000_000)
    var random = SeededRandom(seed: 3)
    for number in 0..<100 {
      var price = 20_000
      let quotes = (0..<1_440 * 2).map { half in
        price += Int.random(in: -9...9, using: &random)
        return QuoteRecording.Quote(
          time: recording.start + Int64(half) * 30_000_000_000,
          last: "\(price / 100).\(price % 100 / 10)\(price % 10)",
          latency: Int64.random(in: 1_000_000..<900_000_000, using: &random)
        )
      }
      try recording.write(quotes, of: "SYM\(number)", conid: number)
    }
    for number in 1...20 {
      let start = recording.start + Int64(number) * 3_600_000_000_000
      let symbols = (0..<100).map { "SYM\($0)" }
      try recording.writeGap(number, from: start, to: start + 7_000_000_000, symbols: symbols)
    }
    let coverage = try RecordingCoverage(of: recording.reader)
    #expect(coverage.bucketNanoseconds == 60_000_000_000)
    #expect(coverage.symbols.allSatisfy { $0.buckets.count == 1_440 })
    let size = CoveragePage(of: coverage, named: "day").html.utf8.count
    #expect(size < 2_000_000, "\(size)")
  }

  @Test func moreInstrumentsThanLinesAreInTheTotals() throws {
    let recording = try QuoteRecording()
    for number in 0..<(CoveragePage.rowLimit + 20) {
      let quotes = [QuoteRecording.Quote(time: recording.start + 1_000_000_000)]
      try recording.write(quotes, of: "S\(number)", conid: number)
    }
    try recording.writeGap(1, from: recording.start, to: recording.start + 5, symbols: ["S519"])
    let html = CoveragePage(of: try RecordingCoverage(of: recording.reader), named: "x").html
    #expect(html.contains("20 more instruments"))
    #expect(html.contains("<bdi>S519</bdi>"))
    let data = try Self.data(of: html)
    #expect(data["symbols"]?.elements?.count == CoveragePage.rowLimit)
  }

  /// What the script reads is what was counted.
  @Test func packedNumbersAreThoseOfTheBuckets() throws {
    let recording = try QuoteRecording()
    let prices = ["271.7", "-3", "99999999.125", nil, "0.0001", "271.70"]
    let quotes = prices.enumerated().map { number, price in
      QuoteRecording.Quote(
        time: recording.start + Int64(number * number) * 1_000_000_000,
        last: price
      )
    }
    try recording.write(quotes, of: "AAPL")
    let symbol = try #require(try RecordingCoverage(of: recording.reader).symbols.first)
    let packed = PackedSymbol(
      symbol,
      start: recording.start,
      width: 1_000_000_000,
      reasons: [:]
    )
    #expect(packed.places == 4)
    var numbers = Self.unpacked(packed.buckets)[...]
    var (index, price): (Int64, Int64) = (-1, 0)
    for bucket in symbol.buckets {
      index += 1 + numbers.removeFirst()
      #expect(recording.start + index * 1_000_000_000 == bucket.start)
      let head = numbers.removeFirst()
      #expect(Int(head / 2) == bucket.messages)
      guard head % 2 == 1 else { continue }
      let change = numbers.removeFirst()
      price += change % 2 == 1 ? -(change + 1) / 2 : change / 2
      #expect(Decimal(mantissa: Int128(price), exponent: -4) == bucket.prices?.last)
      #expect(numbers.removeFirst() == 0 && numbers.removeFirst() == 0)
    }
    #expect(numbers.isEmpty)
  }

  private static func unpacked(_ text: [UInt8]) -> [Int64] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var numbers: [Int64] = []
    var (number, shift): (Int64, Int64) = (0, 0)
    for byte in text {
      let digit = Int64(digits.firstIndex(of: byte) ?? 0)
      number |= (digit & 31) << shift
      shift += 5
      if digit & 32 == 0 {
        numbers.append(number)
        (number, shift) = (0, 0)
      }
    }
    return numbers
  }

  private static func data(of html: String) throws -> JSONValue {
    let text = try #require(
      html.between("<script type=\"application/json\" id=\"data\">", "</script>")
    )
    return try JSONValue(parsing: Array(text.utf8))
  }

  @Test(
    arguments: [
      (0, "0 ms"), (999, "999 ns"), (12_000_000, "12 ms"), (1_200_000_000, "1.2 s"),
      (9_900_000, "9.9 ms"), (5_000_000, "5 ms"), (123_000_000, "123 ms"), (-5_000_000, "-5 ms"),
      (9_200_000_000_000_000_000, "9,200,000,000 s"),
    ] as [(Int64, String)]
  )
  func latencies(_ nanoseconds: Int64, _ expected: String) {
    #expect(PageText.latency(nanoseconds) == expected)
  }

  @Test(
    arguments: [
      (0.99999, "99.99 %"), (1, "100 %"), (0, "0.00 %"), (0.5, "50.00 %"), (1.5, "100 %"),
    ]
  )
  func sharesAreNeverRoundedUp(_ share: Double, _ expected: String) {
    #expect(PageText.percent(share) == expected)
  }
}

extension String {
  fileprivate func components(of word: String) -> [Substring] {
    split(separator: word, omittingEmptySubsequences: false)
  }

  fileprivate func between(_ start: String, _ end: String) -> String? {
    guard let first = firstRange(of: start) else { return nil }
    let rest = self[first.upperBound...]
    return rest.firstRange(of: end).map { String(rest[..<$0.lowerBound]) }
  }
}
