// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import GatewaySimulator

/// The client against the simulator in one process.
@main struct Scenarios: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scenarios",
    abstract: "Run the client against a simulated server.",
    subcommands: [PlayCommand.self, Soak.self],
    defaultSubcommand: PlayCommand.self
  )
}

/// The client against the simulator, through everything that can go wrong.
struct PlayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "play",
    abstract: "Run the client against a simulated server through scenarios.",
    discussion: """
      On virtual time, over streams in memory; with --tls in real time, over TLS. Prints for each \
      the time line of the session's states, the requests against the pacing table, what was \
      expected and what was seen, and the ledger: what was sent is delivered, or lies in a declared \
      gap, or was told as lost. Ends with exit code 1 if one fails.
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

  @Option(help: "How many run at a time on virtual time; in real time all do.")
  var jobs = 2

  @Flag(help: "Over TLS in real time, those that take seconds there.")
  var tls = false

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
    if jobs < 1 { throw ValidationError("--jobs takes a number above zero") }
  }

  /// The trials that were asked for, with their families' names.
  var chosen: [(name: String, trial: Trial)] {
    Family.all.filter { families.isEmpty || families.contains($0.name) }.flatMap { family in
      family.trials.filter { (name == nil || $0.name == name) && (!tls || $0.live != nil) }.map {
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
    let chosen = chosen
    var (passed, failed) = (0, 0)
    for seed in seed..<(seed + repetitions) {
      // What ends early waits for those before it: the output is in order.
      var reports: [Int: Report] = [:]
      var printed = 0
      try await withThrowingTaskGroup(of: (Int, Report).self) { group in
        var next = 0
        func add() {
          guard next < chosen.count else { return }
          group.addTask { [next, trial = chosen[next].trial] in
            (next, try await tls ? bench.runLive(trial, seed: seed) : bench.run(trial, seed: seed))
          }
          next += 1
        }
        for _ in 0..<(tls ? chosen.count : jobs) { add() }
        while let (index, report) = try await group.next() {
          add()
          reports[index] = report
          while let report = reports.removeValue(forKey: printed) {
            if show(report, as: chosen[printed].name, seed) { passed += 1 } else { failed += 1 }
            printed += 1
          }
        }
      }
    }
    print("scenarios: \(passed) passed, \(failed) failed")
    if failed > 0 { throw ExitCode.failure }
  }

  /// Prints what came of a trial.
  ///
  /// - Returns: Whether it was as expected.
  private func show(_ report: Report, as name: String, _ seed: UInt64) -> Bool {
    let isPassed = report.failures.isEmpty
    if !quiet || !isPassed { for line in report.lines { print(line) } }
    print("\(isPassed ? "ok    " : "FAILED") \(name) (seed \(seed))\(quiet ? "" : "\n")")
    return isPassed
  }
}
