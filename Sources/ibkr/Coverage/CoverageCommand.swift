// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import Recording

/// `ibkr coverage`: what was recorded when.
struct CoverageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coverage",
    abstract: "Show what was recorded when: messages, gaps, latency, prices.",
    discussion: """
      Examples:
        ibkr coverage data
        ibkr coverage data --html coverage.html
        ibkr coverage data --symbol AAPL --from 2026-11-23T14:30 --to 2026-11-23T21:00
        ibkr coverage data --json | jq 'select(.kind=="bucket" and .missing_ns>0)'

      A line of bars for each instrument, each on its own scale; gaps are red, and crossed out also \
      without colour, and listed below with their reasons. In a pipe the same as plain text. With \
      --json NDJSON: a line for the recording, one for each instrument, and one for each of its \
      buckets of time that has messages or lies in a gap. With --html one file that needs no network, \
      to look at or to send to somebody.

      Time is cut into seconds, or into as much longer buckets as it takes to have 1,500 at most: a \
      day is shown by the minute. Latency is the time from the server's clock (ts_event) to ours \
      (ts_recv), of everything but images.
      """
  )

  @Argument(
    help: ArgumentHelp("The recording's directory.", valueName: "path"),
    completion: .directory
  )
  var path: String

  @Option(
    help: ArgumentHelp("Write one self-contained page to this file.", valueName: "file"),
    completion: .file()
  )
  var html: String?

  @OptionGroup var excerpt: ExcerptOptions

  @Flag(help: "Print NDJSON.")
  var json = false

  @OptionGroup(title: "Logging") var log: LogOptions

  func run() throws {
    let reader = try RecordingReader(directory: path)
    let coverage = try RecordingCoverage(of: reader, excerpt: try excerpt.excerpt(of: reader))
    let name = Self.name(of: path)
    if let html {
      let page = CoveragePage(of: coverage, named: name)
      try TextFile.replace(page.html, at: html, as: "the page")
      if !log.quiet { Output.write("wrote \(html), \(page.html.utf8.count) bytes\n", to: 2) }
    }
    if json {
      coverage.forEachJSON { Output.write($0, to: 1) }
    } else if html == nil {
      let terminal = Terminal(STDOUT_FILENO, withoutColour: log.noColor)
      let chart = CoverageChart(of: coverage, named: name, on: terminal)
      Output.write(chart.text, to: 1)
    }
  }

  /// What a recording is called: the last folder of its path.
  static func name(of path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved).split(separator: "/").last.map(String.init) ?? "/"
  }
}
