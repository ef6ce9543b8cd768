// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR
import JSON
import Transport

/// One slow subscriber beside three fast ones: who got what, and what the slow one was told.
@main struct SlowSubscriber: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "slow-subscriber",
    abstract: "Measure what a slow subscriber costs itself and others; prints one line of JSON.",
    discussion: "For scripts/interop/slow-subscriber, which knows what the server has sent."
  )

  @Argument(help: "What to subscribe to.")
  var symbols: [String]

  @Option(help: "The gateway's address, up to /v1/api.")
  var gateway: String

  @Option(help: "Trust the authorities in this PEM file.")
  var ca: String

  @Option(help: "The policy of the slow subscriber: \(SlowPolicy.names).")
  var policy: SlowPolicy

  @Option(help: "Stop after so many quotes.")
  var events = 50_000

  @Option(help: "For how many seconds the slow subscriber takes nothing, once.")
  var stall = 5

  @Option(help: "For how many seconds a full subscriber may stop the reading.")
  var patience = 10

  func validate() throws {
    guard !symbols.isEmpty, events > 0, stall >= 0, patience > 0 else {
      throw ValidationError("there must be symbols, events and patience")
    }
  }

  func run() async throws {
    var configuration = IbkrConfiguration()
    configuration.restURL = gateway
    configuration.trust = .authorities(file: ca)
    let client = try IbkrClient(configuration: configuration)
    let instruments = try await client.instruments(for: symbols)
    var streaming = StreamConfiguration()
    streaming.backpressurePatience = .seconds(patience)
    let stream = IbkrWsClient(ibkrClient: client, configuration: streaming)

    let quotes = EventFilter.marketData().withoutLifecycle
    let slow = Taker(
      stream.events(matching: quotes, buffering: policy.policy),
      habit: .init(stall: .seconds(stall), afterEvents: 1_000, perEvent: .milliseconds(1))
    )
    let fast = (0..<3).map { _ in Taker(stream.events(matching: quotes, buffering: .dropOldest())) }
    let lifecycle = Watcher(stream.events(matching: .lifecycle, buffering: .dropOldest()))
    var keys: [SubscriptionKey] = []
    for instrument in instruments {
      keys.append(try await stream.want(.marketData(conid: instrument.conid)))
    }

    let start = ContinuousClock.now
    let subscriptions = keys
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await stream.run() }
      group.addTask { await slow.take() }
      group.addTask { await lifecycle.watch() }
      for taker in fast { group.addTask { await taker.take() } }
      group.addTask {
        try await enough(fast[0])
        for key in subscriptions { await stream.release(key) }
        try await calm(fast[0], lifecycle)
        await stream.stop()
      }
      try await group.waitForAll()
    }
    await client.close()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    print(await report(slow, fast, lifecycle, seconds: seconds).text)
  }

  /// Waits until a subscriber has had as many events as there should be.
  private func enough(_ taker: Taker) async throws {
    while await taker.log.delivered < events { try await Task.sleep(for: .milliseconds(50)) }
  }

  /// Waits until everything that was under way has come: closing would cut it off.
  private func calm(_ taker: Taker, _ lifecycle: Watcher) async throws {
    var before = -1
    var quietSeconds = 0
    while quietSeconds < 3 {
      try await Task.sleep(for: .seconds(1))
      let now = await taker.log.delivered
      let isPaused = await lifecycle.isPaused
      quietSeconds = now == before && !isPaused ? quietSeconds + 1 : 0
      before = now
    }
  }

  private func report(
    _ slow: Taker,
    _ fast: [Taker],
    _ lifecycle: Watcher,
    seconds: Double
  ) async -> JSONValue {
    let reference = await fast[0].log
    var others: [JSONValue] = []
    for taker in fast { others.append(await taker.report()) }
    let place = await slow.log.firstError(against: reference)
    return .object([
      .init(key: "policy", value: .string(policy.rawValue)),
      .init(key: "seconds", value: .number("\((seconds * 10).rounded() / 10)")),
      .init(key: "fast", value: .array(others)),
      .init(key: "slow", value: await slow.report()),
      .init(key: "misplaced", value: place.map(JSONValue.string) ?? .null),
      .init(key: "failed", value: .bool(await slow.hasFailed)),
      .init(key: "gaps", value: .number("\(await lifecycle.gaps)")),
      .init(key: "lost_in_gaps", value: .number("\(await lifecycle.lostInGaps)")),
      .init(key: "losses", value: .array(await lifecycle.losses.map(JSONValue.string))),
      .init(key: "paused", value: .number("\(await lifecycle.pauses)")),
    ])
  }
}

/// The policies by their names.
enum SlowPolicy: String, ExpressibleByArgument, CaseIterable {
  case backpressure, dropOldest, dropNewest, latestPerInstrument, fail

  static let names = allCases.map(\.rawValue).joined(separator: ", ")

  var policy: OverflowPolicy {
    switch self {
    // Less than by default, so that the server is not kept waiting for longer than it bears.
    case .backpressure: OverflowPolicy(.backpressure, maximumEvents: 1_024)
    case .dropOldest: .dropOldest()
    case .dropNewest: .dropNewest()
    case .latestPerInstrument: .latestPerInstrument
    case .fail: .fail
    }
  }
}
