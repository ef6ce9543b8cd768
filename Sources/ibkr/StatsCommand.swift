// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import Recording

/// `ibkr stats`: what a recording holds.
struct StatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Say what a recording holds, by channel and instrument.",
    discussion: """
      Examples:
        ibkr stats data
        ibkr stats data --channels quote --json | jq 'select(.symbol=="AAPL").columns.bid'

      Reads every row: how many there are, from when to when, how many bytes, how many gaps. \
      A table on a terminal; in a pipe, or with --json, NDJSON: a line for each channel (symbol \
      null) and one for each of its instruments, with the number of values of each column and, \
      of numbers, their exact sum.
      """
  )

  @Argument(
    help: ArgumentHelp("The recording's directory.", valueName: "path"),
    completion: .directory
  )
  var path: String

  @Option(
    help: ArgumentHelp("Only these: \(ChannelList.help).", valueName: "channel,…"),
    transform: ChannelList.parse
  )
  var channels: ChannelList?

  @Flag(help: "Print NDJSON on a terminal too.")
  var json = false

  @OptionGroup(title: "Logging") var log: LogOptions

  func run() throws {
    let statistics = try RecordingStatistics(
      of: RecordingReader(directory: path),
      channels: channels?.channels
    )
    if json || isatty(STDOUT_FILENO) == 0 {
      for row in statistics.rows { Output.write(row.json, to: 1) }
    } else {
      Output.write(Self.table(statistics.rows), to: 1)
    }
  }

  /// The rows for a person.
  static func table(_ rows: [ChannelStatistics]) -> String {
    var table = TextTable([
      ("CHANNEL", .left), ("SYMBOL", .left), ("ROWS", .right), ("FIRST", .left), ("LAST", .left),
      ("GAPS", .right), ("MISSING", .right), ("BYTES", .right), ("ON DISK", .right),
    ])
    for row in rows {
      table.append([
        row.channel.rawValue, row.symbol ?? "", String(row.rows),
        row.received.map { TimeText.text($0.lowerBound) } ?? "",
        row.received.map { TimeText.text($0.upperBound) } ?? "", String(row.gaps),
        row.gaps > 0 ? TimeText.span(row.gapNanoseconds) : "", String(row.bytes),
        row.storedBytes.map(String.init) ?? "",
      ])
    }
    return table.text
  }
}
