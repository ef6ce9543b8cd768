// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import Testing

@testable import Recording
@testable import ibkr

@Suite final class CoverageCommandTests {
  private let directory = "/tmp/coverage-\(UInt64.random(in: 0 ... .max))"

  deinit {
    if let storage = try? POSIXStorage(existing: directory) { Self.empty("", of: storage) }
    rmdir(directory)
  }

  private static func empty(_ folder: String, of storage: POSIXStorage) {
    for name in (try? storage.list(folder)) ?? [] {
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      guard path.hasSuffix("/") else {
        try? storage.remove(path)
        continue
      }
      empty(String(path.dropLast()), of: storage)
      rmdir("\(storage.directory)/\(path)")
    }
  }

  /// A run of ten minutes with a gap of one, as `ibkr record` leaves it.
  private func record() throws -> RecordingReader {
    let storage = try POSIXStorage(directory: directory)
    let start: Int64 = 1_795_444_200_000_000_000
    let run = RunID(milliseconds: start / 1_000_000, random: 1)
    var record = RunRecord(run: run, start: start, tool: "test")
    (record.end, record.ending) = (start + 600_000_000_000, .well)
    try record.write(to: storage)
    func write(_ folder: String, _ lines: String) throws {
      let file = try storage.create("\(folder)/part-\(run)-000001.ndjson")
      try Array(lines.utf8).withUnsafeBytes { bytes in try file.writeAll(bytes) }
    }
    for (conid, symbol) in [(1, "AAPL"), (2, "M\\u001b[31mS")] {
      let rows = (0..<600).filter { !(200..<260).contains($0) }.map { second in
        let time = start + Int64(second) * 1_000_000_000
        return """
          {"v":1,"run":"\(run)","seq":\(second),"ts_recv":\(time),"ts_event":\(time - 12_000_000),\
          "conid":\(conid),"symbol":"\(symbol)","snapshot":false,"last":\(100 + second % 9).5}

          """
      }
      try write("ch=quote/date=2026-11-23/symbol=\(conid)", rows.joined())
    }
    let (from, to) = (start + 199_000_000_000, start + 260_000_000_000)
    try write(
      "ch=gap/date=2026-11-23",
      """
      {"v":1,"run":"\(run)","seq":200,"ts_recv":\(to),"ts_event":null,"gap_id":"\(run)-1",\
      "ts_start":\(from),"ts_end":\(to),"reason":"disconnect","symbols":["AAPL"],"conids":[1],\
      "detected_by":"close","count":null}

      """
    )
    return try RecordingReader(directory: directory)
  }

  private func chart(_ coverage: RecordingCoverage, _ terminal: Terminal) -> String {
    CoverageChart(of: coverage, named: "data", on: terminal).text
  }

  @Test(arguments: [40, 60, 80, 120, 200])
  func noLineOfTheChartIsLongerThanTheTerminal(_ width: Int) throws {
    let text = chart(try RecordingCoverage(of: try record()), Terminal(width: width))
    let lines = text.split(separator: "\n")
    // What is listed beneath is a table, which is as wide as what is in it.
    let bars = lines.filter { $0.hasPrefix("AAPL") || $0.hasPrefix("M?") }
    #expect(bars.count == 2)
    for line in bars { #expect(line.count <= width) }
    #expect(text.contains("disconnect"))
  }

  @Test func aPipeGetsNoEscapeCodesAndColoursAreForGaps() throws {
    let coverage = try RecordingCoverage(of: try record())
    let plain = chart(coverage, Terminal(width: 100))
    #expect(!plain.utf8.contains(0x1B))
    let coloured = chart(coverage, Terminal(width: 100, hasColour: true))
    #expect(coloured.contains("\u{1B}[31m"))
    // Colour adds nothing but colour, and the gap is seen without it.
    let stripped = coloured.replacing(/\u{1B}\[[0-9]*m/, with: "")
    #expect(stripped == plain)
    #expect(plain.contains("╳"))
    let ascii = chart(coverage, Terminal(width: 100, hasBlocks: false))
    #expect(ascii.utf8.allSatisfy { $0 < 0x80 })
    #expect(ascii.contains("X"))
  }

  @Test func theTerminalSaysWhatItCanDo() {
    var pipe: [Int32] = [0, 0]
    #expect(Glibc.pipe(&pipe) == 0)
    defer { for descriptor in pipe { close(descriptor) } }
    let (end, variables) = (pipe[1], ["TERM": "xterm-256color"])
    #expect(Terminal(end) { variables[$0] } == Terminal(width: 80))
    let dumb = Terminal(end) { $0 == "TERM" ? "dumb" : nil }
    #expect(!dumb.hasBlocks && !dumb.hasColour)
    #expect(Terminal.harmless("A\u{1B}[31m\n\u{202E}é") == "A?[31m??é")
  }

  @Test func thePageReplacesAFileInOneStep() throws {
    _ = try record()
    let path = "\(directory)/page.html"
    for _ in 0..<2 {
      let command = try #require(
        IBKRCommand.parseAsRoot(["coverage", directory, "--html", path]) as? CoverageCommand
      )
      try command.run()
    }
    let html = try TextFile.read(path, as: "the page")
    #expect(html.hasPrefix("<!doctype html>") && html.hasSuffix("</html>\n"))
    #expect(throws: ValidationError.self) {
      try TextFile.replace("x", at: "\(directory)/no/such/page.html", as: "the page")
    }
    // A folder cannot be replaced, and no draft of ours stays beside it.
    #expect(throws: ValidationError.self) { try TextFile.replace("x", at: directory, as: "it") }
    #expect(access("\(directory).\(getpid()).new", F_OK) != 0)
  }

  @Test func takesItsOptions() throws {
    let arguments = ["coverage", "d", "--symbol", "AAPL,MSFT", "--from", "2026-11-23", "--json"]
    let command = try #require(IBKRCommand.parseAsRoot(arguments) as? CoverageCommand)
    #expect(command.excerpt.symbols == "AAPL,MSFT" && command.json)
    let reader = try record()
    do {
      _ = try command.excerpt.excerpt(of: reader)
      Issue.record("symbols that the recording does not have were accepted")
    } catch {
      #expect(ExitStatus(error) == .usage)
    }
    #expect(throws: (any Error).self) {
      try IBKRCommand.parseAsRoot(["coverage", "d", "--from", "2026-11-24", "--to", "2026-11-23"])
    }
  }
}
