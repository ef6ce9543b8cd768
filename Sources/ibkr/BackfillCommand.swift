// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Flow
import Glibc
import IBKR
import Logging
import Recording

/// `ibkr backfill`: the bars of gaps that have none.
struct BackfillCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backfill",
    abstract: "Ask for the bars of a recording's gaps.",
    discussion: """
      Examples:
        ibkr backfill data --dry-run
        ibkr backfill data --pin sha256/…
        ibkr backfill data --gap 01M856H0R8TNTZDGWV147AWNH9-1 --json | jq .state

      Asks for bars of one minute for the gaps that have no final answer yet, those between two \
      runs included (for more than a week, of one hour), and writes them to ch=bar in a run of \
      its own. Bars are no quotes, and never mixed with them. A table of what came on a terminal; \
      in a pipe, or with --json, NDJSON.

      While a recorder is at work in the directory this ends with code 7: the recorder fills gaps \
      itself. The exit code is 0 if every gap has its answer, be it that there are no bars, and 5 if \
      something is left to ask.
      """
  )

  @Argument(
    help: ArgumentHelp("The recording's directory.", valueName: "path"),
    completion: .directory
  )
  var path: String

  @Option(
    help: ArgumentHelp(
      "Only this gap, also if it has its answer; may be repeated.",
      valueName: "id"
    )
  )
  var gap: [String] = []

  @Flag(help: "Say what would be asked, and ask nothing.")
  var dryRun = false

  @Flag(help: "Print NDJSON on a terminal too.")
  var json = false

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Logging") var log: LogOptions

  func run() async throws {
    let filling = try GapFilling(directory: path)
    let plan = try filling.plan(for: gap.isEmpty ? nil : Set(gap))
    let known = Set(plan.map(\.gapID))
    if let unknown = gap.first(where: { !known.contains($0) }) {
      throw ValidationError(
        "'\(unknown)' is no gap of this recording, or has no instrument with history: see what "
          + "there is with ibkr gaps \(path)"
      )
    }
    guard !dryRun, !plan.isEmpty else {
      show(plan)
      if plan.isEmpty, !log.quiet { Output.write("there is nothing to ask\n", to: 2) }
      return
    }
    let left = try await fill(plan, with: filling)
    let now = try RecordingReader(directory: path)
    let asked = Set(plan.map { [$0.gapID, $0.symbol] })
    show(
      try now.backfills(of: now.gaps().filter { known.contains($0.id) })
        .filter { asked.contains([$0.gapID, $0.symbol]) }
    )
    if left > 0 { throw BackfillsLeft(count: left) }
  }

  /// Asks until everything has its answer, or somebody ends the command.
  private func fill(
    _ plan: [RecordedBackfill],
    with filling: GapFilling
  ) async throws -> Int {
    let logger = log.logger(unlessAsked: .notice)
    let stop = try Stop()
    let answered = Locked(0)
    let left = try await stop.unlessAsked { [connection] in
      try await connection.withClient(logger: logger) { client in
        try await connection.openBrokerageSession(of: client)
        return try await filling.run(
          plan,
          asking: client,
          tool: "ibkr \(IBKRCommand.version)"
        ) { progress in
          if progress.rest == nil { answered.withLock { $0 += 1 } }
          logger.info(
            "\(progress.backfill.target): \(progress.state.rawValue)",
            metadata: ["bars": "\(progress.bars)", "why": "\(progress.reason)"]
          )
        }
      }
    }
    // Ended on the way, the rest is as it was.
    return left ?? plan.count - answered.withLock { $0 }
  }

  private func show(_ backfills: [RecordedBackfill]) {
    guard !backfills.isEmpty else { return }
    if json || isatty(STDOUT_FILENO) == 0 {
      for backfill in backfills { Output.write(Self.line(backfill), to: 1) }
    } else {
      Output.write(Self.table(backfills), to: 1)
    }
  }

  /// A stretch of time as a line of JSON.
  static func line(_ backfill: RecordedBackfill) -> String {
    let span =
      #"{"gap_id":"\#(backfill.gapID)","ts_start":\#(backfill.range.lowerBound),"#
      + #""ts_end":\#(backfill.range.upperBound),"#
    return span + backfill.json.dropFirst() + "\n"
  }

  /// Stretches of time for a person.
  static func table(_ backfills: [RecordedBackfill]) -> String {
    var table = TextTable([
      ("FROM", .left), ("LASTED", .right), ("INSTRUMENT", .left), ("STATE", .left),
      ("BARS", .right), ("GAP", .left), ("WHY", .left),
    ])
    for backfill in backfills {
      table.append([
        TimeText.text(backfill.range.lowerBound),
        TimeText.span(backfill.range.upperBound - backfill.range.lowerBound),
        backfill.symbol, backfill.state.rawValue, "\(backfill.bars)", backfill.gapID,
        backfill.reason,
      ])
    }
    return table.text
  }
}

/// That something is left to ask.
struct BackfillsLeft: Error, Hashable, CustomStringConvertible {
  var count: Int

  var description: String {
    "\(count) have no final answer: run it again later, or record on, which asks by itself"
  }
}
