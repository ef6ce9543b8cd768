// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import JSON
import Testing

@testable import Recording
@testable import ibkr

@Suite struct BackfillCommandTests {
  private func parsed(_ arguments: String...) throws -> any ParsableCommand {
    try IBKRCommand.parseAsRoot(arguments)
  }

  private func backfill(
    _ symbol: String,
    _ state: RecordedBackfill.State,
    bars: Int = 0,
    reason: String = ""
  ) -> RecordedBackfill {
    RecordedBackfill(
      gapID: "RUN-1",
      symbol: symbol,
      conid: 1,
      exchange: nil,
      range: 1_777_550_400_000_000_000..<1_777_550_490_000_000_000,
      state: state,
      reason: reason,
      bars: bars
    )
  }

  @Test func aRecorderFillsGapsUnlessTold() throws {
    for (arguments, fills, hasBars) in [
      (["record", "AAPL", "-o", "d"], true, true),
      (["record", "AAPL", "-o", "d", "--backfill", "on"], true, true),
      (["record", "AAPL", "-o", "d", "--backfill", "off"], false, false),
      (["record", "AAPL", "-o", "d", "--channels", "raw,quote"], false, false),
      (["record", "AAPL", "-o", "d", "--channels", "raw,bar,status"], true, true),
      (["record", "AAPL", "-o", "d", "--feeds", "order"], true, true),
    ] {
      let command = try #require(try IBKRCommand.parseAsRoot(arguments) as? RecordCommand)
      #expect(command.fillsGaps == fills, "\(arguments)")
      #expect(command.sinkConfiguration.channels.contains(.bar) == hasBars, "\(arguments)")
    }
    #expect(throws: (any Error).self) {
      try parsed("record", "AAPL", "-o", "d", "--channels", "raw,bar", "--backfill", "on")
    }
    #expect(throws: (any Error).self) {
      try parsed("record", "AAPL", "-o", "d", "--backfill", "maybe")
    }
  }

  @Test func gapsAreNamed() throws {
    let command = try #require(
      try parsed("backfill", "d", "--gap", "A-1", "--gap", "B-2", "--dry-run") as? BackfillCommand
    )
    #expect(command.gap == ["A-1", "B-2"] && command.dryRun && command.path == "d")
    #expect(ExitStatus(BackfillsLeft(count: 2)) == .gaps)
  }

  @Test func aStretchIsALine() throws {
    let line = BackfillCommand.line(backfill("AAPL", .partial, bars: 1, reason: "no \"bars\""))
    let value = try JSONValue(parsing: Array(line.utf8))
    #expect(
      value.members?.map(\.key) == [
        "gap_id", "ts_start", "ts_end", "symbol", "conid", "state", "bars", "reason", "rest_start",
        "rest_end",
      ]
    )
    #expect(value["reason"]?.string == "no \"bars\"" && value["bars"]?.int == 1)
    #expect(
      BackfillCommand.table([backfill("AAPL", .done, bars: 2)])
        == """
        FROM                        LASTED  INSTRUMENT  STATE  BARS  GAP    WHY
        2026-04-30T12:00:00.000Z  00:01:30  AAPL        done      2  RUN-1

        """
    )
  }

  @Test func whatIsNotDoneIsNamed() {
    #expect(GapsCommand.summary([]) == "")
    #expect(GapsCommand.summary([backfill("A", .done), backfill("B", .done)]) == "done")
    #expect(
      GapsCommand.summary([
        backfill("A", .done), backfill("B", .partial), backfill("C", .pending),
      ]) == "B partial, C pending, 1 done"
    )
    let many = (1...5).map { backfill("S\($0)", $0 == 1 ? .none : .pending) }
    #expect(
      GapsCommand.summary(many) == "S1 none, S2 pending, S3 pending, 2 more not done"
    )
  }
}
