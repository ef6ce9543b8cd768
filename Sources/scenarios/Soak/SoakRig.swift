// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import IBKR
import Logging
import OAuth1a
import Transport

/// The client, the simulator and the network between them, on one loop.
struct SoakRig: Sendable {
  let loop: EventLoop
  let start: Int64
  let network: MemoryNetwork
  let simulator: GatewaySimulator
  let client: IbkrClient
  let stream: IbkrWsClient
  let witness: SoakWitness
  let slow: SlowWitness
  private let journal = SentJournal()
  private let instruments: Int
  private let run: Task<IbkrError?, Never>

  init(
    _ plan: SoakPlan,
    user: SimulatedUser,
    instruments: Int,
    isTalking: Bool,
    on loop: EventLoop
  ) async throws {
    self.loop = loop
    self.instruments = instruments
    start = loop.now
    network = MemoryNetwork()
    var simulated = GatewaySimulatorConfiguration()
    simulated.seed = plan.seed
    simulated.numberedInstruments = instruments + Self.shopWindow
    simulated.tokenLifetime = .seconds(4 * 3_600)
    // What it keeps is measured with the client: as much in the first hour as in the last.
    simulated.tradedMinutes = 60
    // What is not renewed ends after the shortest time that was announced (protocol reference 4.9).
    simulated.scenario = Scenario(
      name: "soak",
      events: [Scenario.Event(.expiry(after: .seconds(600)), after: .zero)]
    )
    // Whoever is too fast is refused for a quarter of an hour, as IBKR does it.
    simulated.journal = journal
    simulated.pacing = .enforced(penalty: .seconds(900))
    if plan.server == .oauth { simulated.user = user }
    simulator = try await GatewaySimulator.start(
      simulated,
      listener: network.listen(host: "server", port: 5000, on: loop),
      loop: loop
    )
    client = try IbkrClient(
      configuration: plan.server.configuration(user),
      loop: loop,
      connector: network,
      logger: Logger(label: "ibkr") { _ in SwiftLogNoOpLogHandler() }
    )
    var patience = StreamConfiguration()
    patience.seed = plan.seed
    // The hour's guest has a line of its own.
    patience.marketDataLines = max(patience.marketDataLines, instruments + 1)
    let stream = IbkrWsClient(ibkrClient: client, configuration: patience, logger: client.logger)
    self.stream = stream
    witness = SoakWitness(on: loop, isTalking: isTalking)
    slow = SlowWitness(on: loop)
    stream.attach(witness)
    stream.attach(slow)
    for number in 0..<instruments {
      try await stream.want(
        .marketData(conid: GatewaySimulatorConfiguration.firstNumberedInstrument + number)
      )
    }
    for feed in Self.accountFeeds { try await feed(stream) }
    run = Task(executorPreference: loop) {
      do throws(IbkrError) {
        try await stream.run()
        return nil
      } catch {
        return error
      }
    }
  }

  /// How many instruments are subscribed to for a while only, one in each hour: few, so that the
  /// simulator knows all of them, and what it keeps of them, when memory is measured first.
  private static let shopWindow = 3

  /// How many subscriptions there are that are no instruments.
  static var accountFeedCount: Int { accountFeeds.count }

  private static let accountFeeds: [@Sendable (IbkrWsClient) async throws -> Void] = [
    { try await $0.want(.profitAndLoss()) },
    { try await $0.want(.trades()) },
    { try await $0.want(.orders()) },
    { try await $0.want(.accountSummary(account: Secret("DU1234567"))) },
    { try await $0.want(.accountLedger(account: Secret("DU1234567"))) },
  ]

  /// The time since the start.
  var elapsed: Duration { .nanoseconds(loop.now - start) }

  /// Whether all subscriptions are active, as the client says and as the server knows.
  var isWell: Bool {
    get async {
      guard await witness.isWell else { return false }
      let wanted = await stream.subscriptions.count { $0.topic == .marketData }
      return await simulator.liveStreams == wanted
    }
  }

  /// How things stand, for a complaint.
  var condition: String {
    get async {
      let states = await witness.inactiveStates
      let session = await stream.sessionState
      return "\(await simulator.liveStreams) live streams at the server, "
        + "session \(session.phase?.rawValue ?? "unknown") (\(session.reason)), "
        + "not active: \(states.joined(separator: ", "))"
    }
  }

  /// Lets virtual time pass, and holds what was sent against what came, so that neither piles up.
  func pass(_ duration: Duration) async {
    var rest = duration
    while rest > .zero {
      let step = min(rest, .seconds(60))
      await loop.advance(by: step)
      await witness.settle(journal.take())
      rest -= step
    }
  }

  /// Judges everything that was sent so far; nothing may be on its way.
  func judge(_ result: inout SoakResult) async {
    let findings = await witness.conclude(journal.take())
    for problem in findings.problems.dropFirst(result.ledger.problems.count) {
      result.fail(problem)
    }
    result.ledger = findings
  }

  /// Subscribes to one more instrument for a while, as a program does that comes and goes.
  func shop(_ hour: Int) -> Task<Void, Never> {
    // The first one shares a subscription that there is.
    let conid =
      GatewaySimulatorConfiguration.firstNumberedInstrument + instruments - 1
      + hour % (Self.shopWindow + 1)
    return Task(executorPreference: loop) { [stream] in
      guard let quotes = try? await stream.subscribe(.marketData(conid: conid)) else { return }
      var count = 0
      do {
        for try await _ in quotes {
          count += 1
          if count == 100 { return }
        }
      } catch {
        return
      }
    }
  }

  func begin(_ fault: SoakFault) async {
    switch fault.cause {
    case .server(let fault): await simulator.inject(fault)
    case .unreachable:
      network.setUp(false)
      network.forEachLink { $0.reset() }
    case .stalled: network.forEachLink { $0.stall(true) }
    case .reset: network.forEachLink { $0.reset() }
    case .clockStep(let step): loop.shiftClocks(realtime: step.nanoseconds, boot: 0)
    case .suspension(let length):
      loop.shiftClocks(realtime: length.nanoseconds, boot: length.nanoseconds)
      network.forEachLink { $0.reset() }
    }
  }

  /// The fault is over; what the server began ends by itself.
  func end(_ fault: SoakFault) async {
    switch fault.cause {
    case .unreachable: network.setUp(true)
    case .stalled: network.forEachLink { $0.reset() }
    case .server, .reset, .clockStep, .suspension: break
    }
  }

  /// Stops everything, and looks what is left.
  func end(_ result: inout SoakResult) async throws {
    await slow.wakeUp()
    let ending = Task(executorPreference: loop) { [stream, client] in
      await stream.stop()
      await client.close()
    }
    // The slow sink may be asleep for twenty minutes.
    await loop.advance(by: .seconds(1_300))
    await ending.value
    await judge(&result)
    if let error = await run.value { result.fail("the run ended with an error: \(error)") }
    try await simulator.stop()
    await loop.advance(by: .zero)
    let census = loop.census
    if !census.isEmpty {
      result.fail("left on the loop: \(census)")
    }
    result.events = await witness.events
    result.gaps = await witness.gapsBegun
    result.quotes = await witness.quotes
    let told = await slow.events + slow.dropped
    if told != result.events { result.fail("a slow sink was told of \(told) events") }
    result.leashes = [
      Leash("the stream", stream), Leash("the client", client), Leash("the simulator", simulator),
      Leash("the network", network), Leash("the loop", loop), Leash("a sink", witness),
      Leash("the slow sink", slow),
    ]
  }
}
