// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR
import Recording

/// `ibkr gaps`: when a recording may lack data.
struct GapsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gaps",
    abstract: "List the times in which a recording may lack data.",
    discussion: """
      Examples:
        ibkr gaps data
        ibkr gaps data --json | jq -r '[.gap_id, .reason, .seconds] | @tsv'

      A gap lasts from the last proof of life before an outage to the first image of its \
      instruments after it. A table on a terminal; in a pipe, or with --json, NDJSON. The exit \
      code is 5 if there are any.
      """
  )

  @Argument(
    help: ArgumentHelp("The recording's directory.", valueName: "path"),
    completion: .directory
  )
  var path: String

  @Flag(help: "Print NDJSON on a terminal too.")
  var json = false

  @OptionGroup(title: "Logging") var log: LogOptions

  func run() throws {
    let gaps = try RecordingReader(directory: path).gaps()
    if json || isatty(STDOUT_FILENO) == 0 {
      for gap in gaps { Output.write(gap.json, to: 1) }
    } else if !gaps.isEmpty {
      Output.write(Self.table(gaps), to: 1)
    }
    if !gaps.isEmpty { throw GapsFound(gaps: gaps.count) }
  }

  /// The gaps for a person.
  static func table(_ gaps: [RecordedGap]) -> String {
    var table = TextTable([
      ("FROM", .left), ("LASTED", .right), ("REASON", .left), ("INSTRUMENTS", .left),
      ("GAP", .left),
    ])
    for gap in gaps {
      let names = gap.symbols.prefix(4).joined(separator: " ")
      let rest = gap.symbols.count > 4 ? " and \(gap.symbols.count - 4) more" : ""
      let lasted = gap.end.map { TimeText.span($0 - gap.start) } ?? "to the end"
      table.append([TimeText.text(gap.start), lasted, gap.reason.rawValue, names + rest, gap.id])
    }
    return table.text
  }
}
