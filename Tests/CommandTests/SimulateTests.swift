// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import GatewaySimulator
import Glibc
import Testing

@testable import ibkr

@Suite struct SimulateTests {
  private func command(_ arguments: String...) throws -> SimulateCommand {
    try #require(try IBKRCommand.parseAsRoot(["simulate"] + arguments) as? SimulateCommand)
  }

  @Test func listsEachScenarioInALine() {
    let lines = SimulateCommand.list.split(separator: "\n")
    #expect(lines.count == Scenario.all.count)
    for (line, scenario) in zip(lines, Scenario.all) {
      #expect(line.hasPrefix(scenario.name + "  "))
      #expect(line.hasSuffix(" " + scenario.summary))
    }
  }

  @Test func takesAScenarioByNameOrFromAFile() throws {
    #expect(try command().chosenScenario() == .steady)
    #expect(try command("--scenario", "gone").chosenScenario().name == "gone")
    let path = "/tmp/scenario-\(UInt64.random(in: 0 ... .max)).ndjson"
    defer { unlink(path) }
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    Output.write("{\"after\":\"30s\",\"fault\":\"token-loss\"}\n", to: file)
    let chosen = try command("--scenario", path).chosenScenario()
    #expect(chosen.events == [Scenario.Event(.tokenLoss, after: .seconds(30))])
    Output.write("{\"after\":\"30s\",\"fault\":\"rain\"}\n", to: file)
    close(file)
    do {
      _ = try command("--scenario", path)
      Issue.record("a file with an unknown fault was accepted")
    } catch {
      #expect(ExitStatus(error) == .usage)
      #expect(IBKRCommand.fullMessage(for: error).contains("\(path):2: there is no fault 'rain'"))
    }
  }
}
