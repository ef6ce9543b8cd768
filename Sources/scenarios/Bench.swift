// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import IBKR
import Logging
import OAuth1a
import Transport

/// Runs a trial: the client and the simulator on one loop with virtual time, streams in memory.
struct Bench: Sendable {
  /// Who may log in; its keys take a moment to make, so all trials share one.
  let user: SimulatedUser

  /// Runs a trial from the start of the client to its end.
  ///
  /// - Parameters:
  ///   - trial: What happens.
  ///   - seed: Decides every random delay and every price.
  /// - Returns: What was seen.
  /// - Throws: If the loop, the simulator or the client cannot be made.
  func run(_ trial: Trial, seed: UInt64) async throws -> Report {
    let start = Timestamp(
      realtime: trial.clock * 1_000_000_000,
      monotonic: 1_000_000_000,
      boot: 1_000_000_000
    )
    let loop = try EventLoop(virtual: start, advance: .onDemand)
    defer { loop.stop() }
    let network = MemoryNetwork()
    let resolver = ScriptedResolver()
    let journal = SentJournal()
    let simulator = try await GatewaySimulator.start(
      simulated(trial, seed: seed, journal),
      listener: network.listen(host: "server", port: 5000, on: loop),
      loop: loop
    )
    let client = try IbkrClient(
      configuration: trial.server.configuration(user),
      loop: loop,
      connector: NamedNetwork(resolver: resolver, network: network),
      logger: Logger(label: "ibkr") { _ in SwiftLogNoOpLogHandler() }
    )
    let play = try await Play(trial, client, resolver, network, patience(trial, seed: seed))
    await loop.advance(by: trial.duration - .seconds(20))
    let before = await play.witness.quotes
    await loop.advance(by: .seconds(20))
    let after = await play.witness.quotes
    let requests = await simulator.requests
    let ending = Task(executorPreference: loop) { await play.stop() }
    await loop.advance(by: .seconds(30))
    await ending.value
    try await simulator.stop()
    return await play.report(
      requests: requests,
      lastQuotes: after - before,
      sent: journal.take(),
      tolerance: 0
    )
  }

  /// How patient the client is.
  func patience(_ trial: Trial, seed: UInt64) -> StreamConfiguration {
    var patience = StreamConfiguration()
    patience.seed = seed
    patience.compete = trial.compete
    return patience
  }

  /// What the simulator is like.
  func simulated(
    _ trial: Trial,
    seed: UInt64,
    _ journal: SentJournal
  ) -> GatewaySimulatorConfiguration {
    var configuration = GatewaySimulatorConfiguration()
    configuration.seed = seed
    configuration.scenario = Scenario(name: trial.name, events: trial.events)
    configuration.tokenLifetime = trial.tokenLifetime
    configuration.updatesPerSecond = trial.rate
    configuration.ticAnswers = trial.ticAnswers
    configuration.journal = journal
    for case .numbered(let count) in trial.feeds { configuration.numberedInstruments = count }
    // Whoever is too fast is refused for a quarter of an hour, as IBKR does it.
    configuration.pacing = .enforced(penalty: .seconds(900))
    if trial.server == .oauth { configuration.user = user }
    return configuration
  }
}

extension Trial.Server {
  /// What a client is configured with that talks to the simulator of a memory network.
  func configuration(_ user: SimulatedUser) throws -> IbkrConfiguration {
    switch self {
    case .gateway:
      var configuration = IbkrConfiguration()
      configuration.restURL = "http://server:5000/v1/api"
      return configuration
    case .oauth:
      // What an IBind user has in the environment.
      return try IbkrConfiguration(environment: [
        "IBIND_USE_OAUTH": "True",
        "IBIND_OAUTH1A_REST_URL": "http://server:5000/v1/api/",
        "IBIND_OAUTH1A_WS_URL": "ws://server:5000/v1/api/ws",
        "IBIND_OAUTH1A_CONSUMER_KEY": user.consumerKey,
        "IBIND_OAUTH1A_ACCESS_TOKEN": user.accessToken.exposedText,
        "IBIND_OAUTH1A_ACCESS_TOKEN_SECRET": user.accessTokenSecret.exposedText,
        "IBIND_OAUTH1A_DH_PRIME": user.prime,
        "IBIND_OAUTH1A_ENCRYPTION_KEY": user.encryptionKeyPEM.exposedText,
        "IBIND_OAUTH1A_SIGNATURE_KEY": user.signatureKeyPEM.exposedText,
      ])
    }
  }
}
