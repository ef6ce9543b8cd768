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
    let simulator = try await GatewaySimulator.start(
      simulated(trial, seed: seed),
      listener: network.listen(host: "server", port: 5000, on: loop),
      loop: loop
    )
    let client = try IbkrClient(
      configuration: configuration(trial),
      loop: loop,
      connector: network,
      logger: Logger(label: "ibkr") { _ in SwiftLogNoOpLogHandler() }
    )
    var patience = StreamConfiguration()
    patience.seed = seed
    patience.compete = trial.compete
    let stream = IbkrWsClient(ibkrClient: client, configuration: patience, logger: client.logger)
    let witness = Witness(on: loop, from: start.monotonic)
    stream.attach(witness)
    for conid in [265_598, 272_093] { try await stream.want(.marketData(conid: conid)) }
    let run = Task(executorPreference: loop) { () -> IbkrError? in
      do throws(IbkrError) {
        try await stream.run()
        return nil
      } catch {
        return error
      }
    }
    await loop.advance(by: trial.duration - .seconds(20))
    let before = await witness.quotes
    await loop.advance(by: .seconds(20))
    let after = await witness.quotes
    let requests = await simulator.requests
    let ending = Task(executorPreference: loop) {
      await stream.stop()
      await client.close()
    }
    await loop.advance(by: .seconds(30))
    await ending.value
    let error = await run.value
    try await simulator.stop()
    return Report(
      trial: trial,
      entries: await witness.entries,
      gaps: await witness.gaps,
      requests: requests,
      lastQuotes: after - before,
      error: error
    )
  }

  private func simulated(_ trial: Trial, seed: UInt64) -> GatewaySimulatorConfiguration {
    var configuration = GatewaySimulatorConfiguration()
    configuration.seed = seed
    configuration.scenario = Scenario(name: trial.name, events: trial.events)
    configuration.tokenLifetime = trial.tokenLifetime
    // Whoever is too fast is refused for a quarter of an hour, as IBKR does it.
    configuration.pacing = .enforced(penalty: .seconds(900))
    if trial.server == .oauth { configuration.user = user }
    return configuration
  }

  private func configuration(_ trial: Trial) throws -> IbkrConfiguration {
    switch trial.server {
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

/// A sink that notes what a person would look at.
actor Witness: EventSink {
  /// A change of the session.
  struct Entry: Sendable, Hashable {
    /// Milliseconds since the start.
    let at: Int64
    let phase: SessionPhase
    let reason: String
  }

  private nonisolated let loop: EventLoop
  private let start: Int64
  nonisolated var overflow: OverflowPolicy { .backpressure }
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private(set) var entries: [Entry] = []
  private(set) var gaps: [Gap] = []
  private(set) var quotes = 0

  init(on loop: EventLoop, from start: Int64) {
    self.loop = loop
    self.start = start
  }

  func write(_ batch: EventBatch) {
    for event in batch {
      switch event {
      case .session(let state, let stamp):
        guard let phase = state.phase else { continue }
        let at = (stamp.monotonic - start) / 1_000_000
        let entry = Entry(at: at, phase: phase, reason: state.reason)
        guard (entries.last?.phase, entries.last?.reason) != (phase, state.reason) else { continue }
        entries.append(entry)
      case .gap(let gap): gaps.append(gap)
      case .message(let message):
        if message.topic == .marketData, message.direction == .inbound { quotes += 1 }
      default: break
      }
    }
  }
}
