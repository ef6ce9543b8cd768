// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import GatewaySimulator
import Glibc
import Logging

/// `ibkr simulate`: a gateway to develop and test against.
struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Run a simulated gateway.",
    discussion: """
      Behaves as a Client Portal Gateway does, with prices from a random walk. The first \
      line of standard output is its address:

        listening https://127.0.0.1:PORT/v1/api

      Examples:
        ibkr simulate --port 5000 --ca-out ca.pem
        ibkr record AAPL --ca ca.pem -o data
        ibkr simulate --seed 7 --rate 100 --ledger sent.ndjson --duration 1m
      """
  )

  @Option(help: "The port on 127.0.0.1; 0 takes any that is free.")
  var port: UInt16 = 0

  @Option(
    help: ArgumentHelp(
      "Write the certificate authority to trust to this PEM file.",
      valueName: "file"
    )
  )
  var caOut: String?

  @Option(help: "Decides every price; the same seed gives the same messages.")
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "Changes of each instrument in a second; without it as a gateway, every 500 ms to 2 s.",
      valueName: "hz"
    )
  )
  var rate: Double?

  @Option(help: ArgumentHelp("What goes wrong: \(scenarios).", valueName: "name"))
  var scenario = Scenario.steady.name

  @Option(
    help: ArgumentHelp("Write a line for each frame sent to this file.", valueName: "file")
  )
  var ledger: String?

  @Option(help: ArgumentHelp("End after so long.", valueName: "duration"))
  var duration: TimeSpan?

  @OptionGroup var log: LogOptions

  private static let scenarios = Scenario.all.map(\.name).joined(separator: ", ")

  func validate() throws {
    if let rate, !(rate > 0 && rate <= 1_000_000) {
      throw ValidationError("--rate takes a number above 0 and up to 1000000")
    }
    if Scenario.named(scenario) == nil {
      throw ValidationError("there is no scenario '\(scenario)': choose one of \(Self.scenarios)")
    }
  }

  func run() async throws {
    let stop = try Stop(after: duration?.duration)
    let simulator = try await GatewaySimulator.start(simulatorConfiguration())
    do {
      if let caOut { try Self.write(simulator.caPEM, to: caOut) }
      Output.write("listening \(simulator.url)\n", to: 1)
      log.logger().info("press Ctrl-C to end")
      _ = await stop.reason()
    } catch {
      try? await simulator.stop()
      throw error
    }
    try await simulator.stop()
  }

  private func simulatorConfiguration() -> GatewaySimulatorConfiguration {
    var configuration = GatewaySimulatorConfiguration()
    configuration.port = port
    configuration.seed = seed
    configuration.updatesPerSecond = rate
    configuration.ledgerPath = ledger
    if let scenario = Scenario.named(scenario) { configuration.scenario = scenario }
    return configuration
  }

  private static func write(_ text: String, to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      let reason = String(cString: strerror(errno))
      throw ValidationError("cannot write the certificate authority to '\(path)': \(reason)")
    }
    defer { close(file) }
    Output.write(text, to: file)
  }
}
