// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR
import Testing
import Transport

@testable import bot

/// The README's bot, which is the program `bot`.
@Suite(.timeLimit(.minutes(5))) struct ReadmeBotTests {
  /// A simulated gateway with a quick market, and how to reach it.
  private func gateway() async throws -> (GatewaySimulator, IbkrConfiguration) {
    var simulated = GatewaySimulatorConfiguration()
    simulated.updatesPerSecond = 200
    let simulator = try await GatewaySimulator.start(simulated)
    var address = IbkrConfiguration()
    address.restURL = simulator.url
    address.trust = .authorities(pem: simulator.caPEM)
    return (simulator, address)
  }

  @Test func theBotSignalsAndEndsWhenItIsCancelled() async throws {
    let (simulator, address) = try await gateway()
    let (signals, input) = AsyncStream<String>.makeStream()
    let running = Task {
      try await Bot(quotes: .max, signal: { input.yield($0) }).trade(at: address)
      input.finish()
    }
    var seen: [String] = []
    for await signal in signals {
      seen.append(signal)
      if seen.count == 3 { running.cancel() }
    }
    try await running.value
    #expect(seen.count >= 3)
    #expect(seen.allSatisfy { $0.starts(with: "buy AAPL at ") || $0.starts(with: "sell AAPL at ") })
    try await simulator.stop()
  }

  @Test func cancellingUnsubscribesClosesAndLetsTheSinksFinish() async throws {
    let (simulator, address) = try await gateway()
    let client = try IbkrClient(configuration: address)
    let diary = Diary(on: client.loop, overflow: .backpressure)
    let running = Task {
      try await withIbkrWsClient(ibkrClient: client) { stream in
        stream.attach(diary)
        var count = 0
        for try await _ in try await stream.subscribe(.marketData(conid: 265598)) {
          count += 1
          if count == 5 { withUnsafeCurrentTask { $0?.cancel() } }
        }
        return count
      }
    }
    #expect(try await running.value >= 5)
    #expect(await diary.commands.last == "umd+265598+{}")
    #expect(await diary.kinds.contains(.close))
    #expect(await diary.lifecycle.last == "closed")
    #expect(await diary.calls == ["flush", "close"])
    let numbers = await diary.numbers
    #expect(numbers == Array((numbers.first ?? 1)...(numbers.last ?? 0)))
    await client.close()
    try await simulator.stop()
  }
}
