// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import GatewaySimulator
import Glibc
import IBKR

/// Hours of random faults on virtual time, seed after seed, and what must not grow meanwhile.
struct Soak: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the client for hours of virtual time with random faults.",
    discussion: """
      Prints one line for each seed, and how long it took after each kind of fault until all \
      subscriptions were active again. Ends with exit code 1 if one took too long, if memory grew, \
      or if anything is left behind.
      """
  )

  @Option(help: "How many seeds.")
  var seeds = 200

  @Option(help: "The first seed.")
  var first: UInt64 = 1

  @Option(help: "How many hours each takes.")
  var hours = 12

  @Option(help: "How many instruments are subscribed to.")
  var instruments = 5

  @Flag(help: "Let every instrument change as often as IBKR sends: each 500 ms, in all hours.")
  var full = false

  @Flag(help: "Print every event but quotes: what happened to one seed.")
  var log = false

  func validate() throws {
    if seeds < 1 || hours < 1 || instruments < 1 {
      throw ValidationError("--seeds, --hours and --instruments take numbers above zero")
    }
    if hours > 24 || instruments > 1_000 {
      throw ValidationError("more than 24 hours or 1000 instruments take too long")
    }
  }

  func run() async throws {
    let user = try SimulatedUser()
    let stream = StreamConfiguration()
    let patience = SoakPatience(
      stream,
      IbkrConfiguration(),
      // One more is subscribed to for a while in each hour.
      subscriptions: instruments + SoakRig.accountFeedCount + 1
    )
    var table = SoakTable(ceiling: patience.ceiling)
    print(SoakTable.head)
    for seed in first..<first + UInt64(seeds) {
      let plan = SoakPlan(seed: seed, hours: hours, isFull: full, patience: patience)
      let run = SoakRun(
        plan: plan,
        patience: patience,
        user: user,
        instruments: instruments,
        isTalking: log
      )
      let before = Vitals.processorTime()
      let result = try await run.run()
      print(table.add(result, of: plan, milliseconds: Vitals.processorTime() - before))
      // Whoever watches sees each line when it is there, through a pipe too.
      defer { fflush(nil) }
      for failure in table.failures(of: seed) { print("  FAILED   \(failure)") }
      if !table.failures(of: seed).isEmpty {
        print(
          "  repeat:  scripts/soak --first \(seed) --seeds 1 --hours \(hours) "
            + "--instruments \(instruments)\(full ? " --full" : "")"
        )
      }
    }
    for line in table.summary() { print(line) }
    if table.failed > 0 { throw ExitCode.failure }
  }
}
