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
        ibkr gaps data --json | jq '.backfill[] | select(.state != "done")'

      A gap lasts from the last proof of life before an outage to the first image of its \
      instruments after it. What has become of the bars that stand in for it is shown for each \
      instrument: none (nobody has asked), pending, done (one for each minute), partial or \
      unavailable; ibkr backfill asks for what has no final answer. A table on a terminal; in a \
      pipe, or with --json, NDJSON. The exit code is 5 if there are any.
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
    let reader = try RecordingReader(directory: path)
    let gaps = try reader.gaps()
    let backfills = Dictionary(grouping: try reader.backfills(of: gaps), by: \.gapID)
    if json || isatty(STDOUT_FILENO) == 0 {
      for gap in gaps { Output.write(gap.json(filled: backfills[gap.id] ?? []), to: 1) }
    } else if !gaps.isEmpty {
      Output.write(Self.table(gaps, backfills), to: 1)
    }
    if !gaps.isEmpty { throw GapsFound(gaps: gaps.count) }
  }

  /// The gaps for a person.
  static func table(
    _ gaps: [RecordedGap],
    _ backfills: [String: [RecordedBackfill]] = [:]
  ) -> String {
    var table = TextTable([
      ("FROM", .left), ("LASTED", .right), ("REASON", .left), ("INSTRUMENTS", .left),
      ("BARS", .left), ("GAP", .left),
    ])
    for gap in gaps {
      let names = gap.symbols.prefix(4).joined(separator: " ")
      let rest = gap.symbols.count > 4 ? " and \(gap.symbols.count - 4) more" : ""
      let lasted = gap.end.map { TimeText.span($0 - gap.start) } ?? "to the end"
      table.append([
        TimeText.text(gap.start), lasted, gap.reason.rawValue, names + rest,
        summary(backfills[gap.id] ?? []), gap.id,
      ])
    }
    return table.text
  }

  /// `done`, or `MSFT partial, 3 done`: what is not done is named.
  static func summary(_ backfills: [RecordedBackfill]) -> String {
    let states = Set(backfills.map(\.state))
    guard states.count > 1 else { return states.first?.rawValue ?? "" }
    let open = backfills.filter { $0.state != .done }
    let named = open.prefix(3).map { "\($0.symbol) \($0.state.rawValue)" }
    let more = open.count > 3 ? ["\(open.count - 3) more not done"] : []
    let done = backfills.count - open.count
    return (named + more + (done > 0 ? ["\(done) done"] : [])).joined(separator: ", ")
  }
}
