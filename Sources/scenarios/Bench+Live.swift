// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import IBKR
import Logging
import Transport

extension Bench {
  /// By how much the clocks of two threads may be read apart: the machine may be busy.
  private static let tolerance: Int64 = 250_000_000

  /// Runs a trial over TLS on the loopback, with the machine's clocks: client and simulator each on a
  /// thread of its own.
  ///
  /// - Parameters:
  ///   - trial: What happens; it has to say how it goes in real time.
  ///   - seed: Decides every random delay and every price.
  /// - Returns: What was seen.
  /// - Throws: If a loop, the simulator or the client cannot be made.
  func runLive(_ trial: Trial, seed: UInt64) async throws -> Report {
    guard let live = trial.live else { return try await run(trial, seed: seed) }
    var trial = trial
    trial.acts = live.acts
    trial.duration = live.duration
    trial.readyBy = live.duration
    trial.expects = live.expects ?? trial.expects
    let journal = SentJournal()
    var simulated = simulated(trial, seed: seed, journal)
    simulated.scenario = Scenario(name: trial.name, events: live.events)
    simulated.heartbeat = live.heartbeat
    let simulator = try await GatewaySimulator.start(simulated)
    let loop = try EventLoop(name: "client")
    defer { loop.stop() }
    let resolver = ScriptedResolver()
    var configuration = IbkrConfiguration()
    // A name, so that there is something to look up.
    configuration.restURL = "https://localhost:\(simulator.port)/v1/api"
    configuration.trust = .authorities(pem: simulator.caPEM)
    let client = try IbkrClient(
      configuration: configuration,
      loop: loop,
      connector: NetworkConnector(resolver: resolver),
      logger: Logger(label: "ibkr") { _ in SwiftLogNoOpLogHandler() }
    )
    var patience = patience(trial, seed: seed)
    patience.heartbeatTimeout = live.heartbeatTimeout
    patience.observesMaintenance = false
    let play = try await Play(trial, client, resolver, nil, patience)
    try await loop.sleep(for: trial.duration - .seconds(2))
    let before = await play.witness.quotes
    try await loop.sleep(for: .seconds(2))
    let after = await play.witness.quotes
    await play.stop()
    let requests = await simulator.requests
    try await simulator.stop()
    return await play.report(
      requests: requests,
      lastQuotes: after - before,
      sent: journal.take(),
      tolerance: Self.tolerance
    )
  }
}
