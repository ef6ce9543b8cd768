// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Testing

@testable import Recording

/// A recording in memory whose lines a test writes.
struct QuoteRecording {
  let storage = MemoryStorage()
  let run: RunID
  /// When the run began.
  let start: Int64

  /// 2026-11-23T14:30:00Z.
  static let afternoon: Int64 = 1_795_444_200_000_000_000

  init(start: Int64 = Self.afternoon) throws {
    self.start = start
    run = RunID(milliseconds: start / 1_000_000, random: 7)
    let record = RunRecord(run: run, start: start, tool: "test")
    try record.write(to: storage)
  }

  var reader: RecordingReader { RecordingReader(storage: storage) }

  /// Writes the quotes of an instrument.
  func write(_ quotes: [Quote], of symbol: String, conid: Int = 1, part: Int = 1) throws {
    var lines = LineBuffer()
    for (index, quote) in quotes.enumerated() {
      lines.append("{\"v\":1,\"run\":")
      lines.append(string: run.description)
      lines.append(",\"seq\":")
      lines.append(Int64(index + 1))
      lines.append(",\"ts_recv\":")
      lines.append(quote.time)
      lines.append(",\"ts_event\":")
      lines.append(orNull: quote.latency.map { quote.time - $0 })
      lines.append(",\"conid\":")
      lines.append(Int64(conid))
      lines.append(",\"symbol\":")
      lines.append(string: symbol)
      lines.append(contentsOf: Array(",\"snapshot\":\(quote.isImage),\"bid\":null".utf8))
      lines.append(contentsOf: Array(",\"last\":\(quote.last ?? "null"),\"fields\":\"{}\"}\n".utf8))
    }
    try write(lines, to: .quote, symbol: symbol, part: part)
  }

  /// Writes a gap.
  func writeGap(
    _ number: Int,
    from start: Int64,
    to end: Int64?,
    reason: String = "disconnect",
    symbols: [String],
    conids: [Int] = [1]
  ) throws {
    var line = LineBuffer()
    line.append("{\"v\":1,\"run\":")
    line.append(string: run.description)
    line.append(",\"seq\":9,\"ts_recv\":")
    line.append(start)
    line.append(",\"ts_event\":null,\"gap_id\":")
    line.append(string: "\(run)-\(number)")
    line.append(",\"ts_start\":")
    line.append(start)
    line.append(",\"ts_end\":")
    line.append(orNull: end)
    line.append(",\"reason\":")
    line.append(string: reason)
    line.append(",\"symbols\":")
    line.append(strings: symbols)
    line.append(",\"conids\":")
    line.append(integers: conids)
    line.append(",\"detected_by\":\"<b>close\",\"count\":null}\n")
    try write(line, to: .gap, symbol: nil, part: number)
  }

  /// Writes bars that fill a gap.
  func writeBars(_ count: Int, for gap: Int) throws {
    var lines = LineBuffer()
    for _ in 0..<count {
      lines.append(contentsOf: Array("{\"v\":1,\"gap_id\":\"\(run)-\(gap)\"}\n".utf8))
    }
    try write(lines, to: .bar, symbol: "AAPL", part: 1)
  }

  /// Writes lines into a part of their own.
  func write(
    _ lines: borrowing LineBuffer,
    to channel: Channel,
    symbol: String?,
    part: Int
  ) throws {
    let folder = PartPath(channel: channel, date: .init(realtime: start), symbol: symbol).folder
    let number = String(part)
    let zeros = String(repeating: "0", count: 6 - number.count)
    let file = try storage.create("\(folder)/part-\(run)-\(zeros)\(number).ndjson")
    try lines.withBytes { try file.writeAll($0) }
  }

  /// A row of `ch=quote`.
  struct Quote {
    var time: Int64
    var last: String?
    var latency: Int64?
    var isImage = false
  }
}
