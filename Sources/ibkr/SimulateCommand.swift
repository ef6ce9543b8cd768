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
      Examples:
        ibkr simulate --port 5000 --ca-out ca.pem
        ibkr record AAPL --ca ca.pem -o data
        ibkr simulate --seed 7 --rate 100 --ledger sent.ndjson --duration 1m
        ibkr simulate --oauth --credentials-out keys --scenario token-loss

      Behaves as a Client Portal Gateway does, with prices from a random walk. The first \
      line of standard output is its address:

        listening https://127.0.0.1:PORT/v1/api

      With --oauth it behaves as api.ibkr.com does: it checks signature, time, nonce, token and \
      realm of each request. The folder of --credentials-out then has two keys, ca.pem, and \
      ibind.env with the variables that IBind and this program read.

      A file for --scenario has one JSON object per line; lines that begin with # are comments:

        {"after":"30s","fault":"gone","for":"20s"}
        {"after":"2m","fault":"too-many-requests","for":"1m","retry_after":"30s"}
        {"after":"5m","fault":"drop-connections","every":"20s","times":10}
        {"after":"7m","fault":"mute-instrument","conid":265598,"deaf":true}
        {"after":"8m","fault":"say","what":"not-utf8-text"}

      Faults: \(Fault.names.joined(separator: ", ")).
      For say, what: \(Oddity.allCases.map(\.rawValue).joined(separator: ", ")).
      For distort, how: \(Distortion.allCases.map(\.rawValue).joined(separator: ", ")).
      For break-protocol, how: \(Breach.allCases.map(\.rawValue).joined(separator: ", ")).
      """
  )

  @Option(help: "The port on 127.0.0.1; 0 takes any that is free.")
  var port: UInt16 = 0

  @Option(
    help: ArgumentHelp(
      "Write the certificate authority to trust to this PEM file.",
      valueName: "file"
    ),
    completion: .file()
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

  @Option(
    help: ArgumentHelp(
      "So many instruments more than the simulator has: SIM0, SIM1, and so on.",
      valueName: "n"
    )
  )
  var instruments = 0

  @Option(
    help: ArgumentHelp(
      "What goes wrong: a name of --list-scenarios, or a file.",
      valueName: "name|file"
    ),
    completion: .file()
  )
  var scenario = Scenario.steady.name

  @Flag(help: "Print the scenarios, each in a line, and end.")
  var listScenarios = false

  @Flag(help: "Behave as api.ibkr.com does, with a login by OAuth 1.0a.")
  var oauth = false

  @Option(
    help: ArgumentHelp(
      "With --oauth: write the keys and variables of a user to this folder.",
      valueName: "dir"
    ),
    completion: .directory
  )
  var credentialsOut: String?

  @Option(
    help: ArgumentHelp(
      "Write a line for each frame sent and each request answered to this file.",
      valueName: "file"
    ),
    completion: .file()
  )
  var ledger: String?

  @Option(
    help: ArgumentHelp(
      "Let an order of the account be filled, again and again, so long after each other.",
      valueName: "duration"
    )
  )
  var fills: TimeSpan?

  @Option(help: ArgumentHelp("End after so long.", valueName: "duration"))
  var duration: TimeSpan?

  @OptionGroup var log: LogOptions

  func validate() throws {
    if let rate, !(rate > 0 && rate <= 1_000_000) {
      throw ValidationError("--rate takes a number above 0 and up to 1000000")
    }
    if !(0...10_000 ~= instruments) {
      throw ValidationError("--instruments takes a number from 0 to 10000")
    }
    if oauth != (credentialsOut != nil) {
      throw ValidationError("--oauth and --credentials-out need each other: give both")
    }
    _ = try chosenScenario()
  }

  func run() async throws {
    if listScenarios {
      Output.write(Self.list, to: 1)
      return
    }
    let stop = try Stop(after: duration?.duration)
    let simulator = try await GatewaySimulator.start(try simulatorConfiguration())
    do {
      if let caOut {
        try TextFile.write(simulator.caPEM, to: caOut, as: "the certificate authority")
      }
      if let credentialsOut { try simulator.writeCredentials(to: credentialsOut) }
      Output.write("listening \(simulator.url)\n", to: 1)
      log.logger().info("press Ctrl-C to end")
      await withTaskGroup { group in
        if let fills { group.addTask { await Self.trade(at: simulator, every: fills.duration) } }
        _ = await stop.reason()
        group.cancelAll()
      }
    } catch {
      try? await simulator.stop()
      throw error
    }
    try await simulator.stop()
  }

  /// Fills orders until the task is cancelled.
  private static func trade(at simulator: GatewaySimulator, every interval: Duration) async {
    var count = 0
    while (try? await Task.sleep(for: interval)) != nil {
      count += 1
      let price = "\(270 + count % 4).\(count * 25 % 100)"
      await simulator.fillOrder(conid: 265_598, quantity: count, price: price)
    }
  }

  /// The scenarios that have names, a line each.
  static var list: String {
    let width = (Scenario.all.map(\.name.count).max() ?? 0) + 2
    return Scenario.all.map { scenario in
      let gap = String(repeating: " ", count: width - scenario.name.count)
      return "\(scenario.name)\(gap)\(scenario.summary)\n"
    }
    .joined()
  }

  /// The scenario of that name, or of that file.
  func chosenScenario() throws -> Scenario {
    if let named = Scenario.named(scenario) { return named }
    guard access(scenario, F_OK) == 0 else {
      let unknown = UnknownWord(
        "scenario and no file",
        scenario,
        known: Scenario.all.map(\.name),
        command: "ibkr simulate --list-scenarios"
      )
      throw ValidationError("\(unknown)")
    }
    let text = try TextFile.read(scenario, as: "the scenario")
    do {
      return try Scenario(name: scenario, lines: text)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  private func simulatorConfiguration() throws -> GatewaySimulatorConfiguration {
    var configuration = GatewaySimulatorConfiguration()
    configuration.port = port
    configuration.seed = seed
    configuration.updatesPerSecond = rate
    configuration.numberedInstruments = instruments
    configuration.ledgerPath = ledger
    configuration.scenario = try chosenScenario()
    configuration.speaksOAuth = oauth
    return configuration
  }
}
