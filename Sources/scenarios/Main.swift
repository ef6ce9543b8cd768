// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import GatewaySimulator

/// The client against the simulator in one process, through everything that can go wrong.
@main struct Scenarios: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scenarios",
    abstract: "Run the client against a simulated server through scenarios, on virtual time.",
    discussion: """
      Prints for each the time line of the session's states, the requests against the pacing \
      table, and what was expected and seen. Ends with exit code 1 if one fails.
      """
  )

  @Argument(help: "Families: \(Family.all.map(\.name).joined(separator: ", ")); none for all.")
  var families: [String] = []

  @Option(name: .customLong("only"), help: ArgumentHelp("Run one scenario.", valueName: "name"))
  var name: String?

  @Option(help: "Decides every random delay and every price.")
  var seed: UInt64 = 1

  @Option(name: .customLong("repeat"), help: "Run each with so many seeds, from the first one on.")
  var repetitions: UInt64 = 1

  @Flag(name: .shortAndLong, help: "Print only the verdicts.")
  var quiet = false

  @Flag(help: "Print the names and what happens, and end.")
  var list = false

  func validate() throws {
    for family in families where !Family.all.contains(where: { $0.name == family }) {
      throw ValidationError("there is no family '\(family)'")
    }
    if chosen.isEmpty { throw ValidationError("there is no scenario '\(name ?? "")'") }
    if repetitions < 1 { throw ValidationError("--repeat takes a number above zero") }
  }

  /// The trials that were asked for, with their families' names.
  var chosen: [(name: String, trial: Trial)] {
    Family.all.filter { families.isEmpty || families.contains($0.name) }.flatMap { family in
      family.trials.filter { name == nil || $0.name == name }.map {
        ("\(family.name)/\($0.name)", $0)
      }
    }
  }

  func run() async throws {
    if list {
      for (name, trial) in chosen { print("\(name): \(trial.summary)") }
      return
    }
    let bench = Bench(user: try SimulatedUser())
    var (passed, failed) = (0, 0)
    for seed in seed..<(seed + repetitions) {
      for (name, trial) in chosen {
        let report = try await bench.run(trial, seed: seed)
        let isPassed = report.failures.isEmpty
        if isPassed { passed += 1 } else { failed += 1 }
        if !quiet || !isPassed { for line in report.lines { print(line) } }
        print("\(isPassed ? "ok    " : "FAILED") \(name) (seed \(seed))\(quiet ? "" : "\n")")
      }
    }
    print("scenarios: \(passed) passed, \(failed) failed")
    if failed > 0 { throw ExitCode.failure }
  }
}
