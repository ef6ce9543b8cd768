// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Testing

@testable import Recording
@testable import ibkr

@Suite struct ExportCommandTests {
  private func parse(_ arguments: String...) throws -> ExportCommand {
    try #require(try IBKRCommand.parseAsRoot(["export", "data"] + arguments) as? ExportCommand)
  }

  @Test func optionsAreReadAsTheyAreWritten() throws {
    let command = try parse(
      "--to",
      "csv",
      "--channels",
      "quote,gap",
      "--symbol",
      "AAPL",
      "--from",
      "2026-11-23",
      "--to-time",
      "2026-11-24",
      "--by",
      "channel",
      "--exact",
      "--force",
      "-o",
      "out"
    )
    #expect(command.format == .csv)
    #expect(command.channels?.channels == [.quote, .gap])
    #expect(command.layout == .channel)
    #expect(command.exact && command.force && !command.json)
    #expect(command.until?.realtime == 1_795_478_400_000_000_000)
    #expect(command.output == "out")
    #expect(try parse("--to", "parquet").layout == .day)
  }

  @Test(arguments: [
    (["--to", "excel"], "excel"), ([], "--to"), (["--to", "csv", "-o", "-"], "one of --channels"),
    (["--to", "parquet", "--channels", "quote", "-o", "-"], "--to csv"),
    (["--to", "csv", "--from", "2026-11-24", "--to-time", "2026-11-23"], "--from must be before"),
    (["--to", "csv", "--channels", "quotes"], "quote"),
  ])
  func whatCannotWorkIsSaidAtOnce(_ arguments: [String], _ words: String) {
    do {
      _ = try IBKRCommand.parseAsRoot(["export", "data"] + arguments)
      Issue.record("it was taken")
    } catch {
      #expect(Main.message(for: error).contains(words))
      #expect(ExitStatus(error) == .usage)
    }
  }

  @Test func whatTheBuildLacksIsNamedWithTheBuildThatHasIt() throws {
    for (arguments, reason) in [
      (["export", "data", "--to", "sqlite"], ExportFormat.sqlite.unavailability),
      (["record", "AAPL", "--compress", "zstd"], PartCodec.zstd.unavailability),
    ] {
      do {
        _ = try IBKRCommand.parseAsRoot(arguments)
        #expect(reason == nil)
      } catch {
        let reason = try #require(reason)
        #expect(Main.message(for: error).contains(reason))
        #expect(ExitStatus(error) == .usage)
      }
    }
  }

  @Test func thereIsAPlaceWhenNobodySaysOne() {
    #expect(ExportCommand.place(of: "data", .parquet) == "data-parquet")
    #expect(ExportCommand.place(of: "data", .sqlite) == "data.sqlite")
    #expect(ExportCommand.table(ExportReport()) == "there is nothing to export\n")
  }
}
