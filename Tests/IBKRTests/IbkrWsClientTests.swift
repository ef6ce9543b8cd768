// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import Testing
import Transport
import WebSocket

@testable import IBKR

/// The stream against the simulated gateway, on virtual time.
@Suite(.timeLimit(.minutes(5))) struct IbkrWsClientTests {
  private let apple = MarketDataFeed(conid: 265598, exchange: nil, fields: MarketDataField.standard)
  private let microsoft = MarketDataFeed(
    conid: 272093,
    exchange: nil,
    fields: [.lastPrice, .bidPrice]
  )

  @Test func recordsFromTheFirstByteToTheLast() async throws {
    let gateway = try await VirtualGateway([apple, microsoft])
    await gateway.pass(30)
    let error = try await gateway.end()
    #expect(error == nil)
    let diary = gateway.diary
    #expect(await diary.isComplete)
    #expect(await diary.dropped == 0)
    #expect(await diary.quotes.keys.sorted() == [265598, 272093])
    #expect(await diary.quotes.values.allSatisfy { $0 > 10 })
    // The image, twice: then market events.
    #expect(await diary.snapshots == [265598: 2, 272093: 2])
    #expect(await diary.gaps.isEmpty)
    #expect(await diary.calls == ["flush", "close"])
    #expect(await diary.kinds.isSuperset(of: [.binary, .text, .close]))
    #expect(
      await diary.commands == [
        apple.request.subscribeCommand, microsoft.request.subscribeCommand,
        "umd+265598+{}", "umd+272093+{}",
      ]
    )
    let lifecycle = await diary.lifecycle
    #expect(
      lifecycle == [
        "265598 pending", "272093 pending", "connecting(attempt: 1)", "session established",
        "open", "ready", "session ready",
        "265598 requested(attempt: 1)", "272093 requested(attempt: 1)",
        "265598 active", "272093 active", "closed",
      ]
    )
  }

  @Test func nothingIsSentBeforeTheGreeting() async throws {
    let gateway = try await VirtualGateway([apple])
    let events = gateway.stream.events(matching: .all)
    await gateway.pass(5)
    _ = try await gateway.end()
    var isGreeted = false
    for try await event in events {
      switch event {
      case .connection(.ready, _): isGreeted = true
      case .message(let message) where message.direction == .outbound: #expect(isGreeted)
      default: break
      }
    }
    #expect(isGreeted)
  }

  struct Trouble: Sendable, CustomTestStringConvertible {
    var faults: [Fault]
    var reason: GapReason
    /// How long until everything is as it was.
    var recovery = 20
    var testDescription: String { "\(faults)" }
  }

  @Test(arguments: [
    Trouble(faults: [.dropConnections], reason: .disconnect),
    Trouble(faults: [.closeConnections(code: 1000)], reason: .disconnect),
    Trouble(faults: [.closeConnections(code: 1011)], reason: .disconnect),
    Trouble(faults: [.newSession], reason: .disconnect),
    Trouble(faults: [.refuseConnections(for: .seconds(40))], reason: .disconnect, recovery: 120),
    Trouble(faults: [.silence(for: .seconds(120))], reason: .silence, recovery: 240),
    Trouble(
      faults: [.authenticationLoss(for: .seconds(60), announcesReturn: false)],
      reason: .auth,
      recovery: 120
    ),
    Trouble(
      faults: [.authenticationLoss(for: .seconds(60), announcesReturn: true)],
      reason: .auth,
      recovery: 120
    ),
    Trouble(faults: [.competingLogin(for: .seconds(60))], reason: .competing, recovery: 120),
  ])
  func everyOutageIsOneGapAndEndsWithEverythingBack(_ trouble: Trouble) async throws {
    let gateway = try await VirtualGateway([apple, microsoft])
    await gateway.pass(20)
    for fault in trouble.faults { await gateway.simulator.inject(fault) }
    await gateway.pass(trouble.recovery)
    let before = await gateway.diary.quotes
    await gateway.pass(20)
    let after = await gateway.diary.quotes
    let error = try await gateway.end()
    #expect(error == nil)
    let diary = gateway.diary
    #expect(await diary.isComplete)
    let gaps = await diary.gaps
    #expect(gaps.map(\.phase) == [.began, .ended])
    #expect(gaps.map(\.reason) == [trouble.reason, trouble.reason])
    #expect(Set(gaps.map(\.id)) == [1])
    #expect(gaps.allSatisfy { $0.conids == [265598, 272093] })
    let ended = try #require(gaps.last)
    let end = try #require(ended.end)
    #expect(ended.start.monotonic < end.monotonic)
    #expect(ended.seqFirst < (ended.seqLast ?? 0))
    for conid in [265598, 272093] {
      #expect(after[conid, default: 0] > before[conid, default: 0], "no quotes of \(conid)")
    }
  }

  @Test func aServerThatIsNotThereEndsTheRun() async throws {
    let gateway = try await VirtualGateway(events: [
      Scenario.Event(.refuseConnections(for: .seconds(100)), after: .seconds(0))
    ])
    await gateway.pass(30)
    let error = await gateway.run.value
    #expect(error?.code == .network)
    #expect(await gateway.diary.calls == ["flush", "close"])
    try await gateway.simulator.stop()
    gateway.loop.stop()
  }

  @Test func aServerThatIsNotThereIsWaitedForIfToldSo() async throws {
    let gateway = try await VirtualGateway(events: [
      Scenario.Event(.refuseConnections(for: .seconds(100)), after: .seconds(0))
    ]) { $0.waitsForServer = true }
    try await gateway.stream.want(apple)
    await gateway.pass(240)
    let error = try await gateway.end()
    #expect(error == nil)
    #expect(await gateway.diary.quotes[265598, default: 0] > 0)
    #expect(await gateway.diary.gaps.isEmpty)
  }

  @Test func aServerThatDoesNotCompressIsSpokenToWithout() async throws {
    let gateway = try await VirtualGateway([apple]) { $0.deflate = PerMessageDeflate() }
    await gateway.pass(30)
    let error = try await gateway.end()
    #expect(error == nil)
    #expect(await gateway.diary.quotes[265598, default: 0] > 10)
    #expect(await gateway.diary.gaps.isEmpty)
  }

  @Test func subscriptionsAreRenewedBeforeTheyExpire() async throws {
    let gateway = try await VirtualGateway([apple])
    await gateway.pass(3_600)
    let error = try await gateway.end()
    #expect(error == nil)
    let diary = gateway.diary
    let requests = await diary.commands.filter { $0.hasPrefix("smd+265598") }.count
    #expect((7...9).contains(requests))
    #expect(await diary.commands.filter { $0 == "tic" }.count == 59)
    #expect(await diary.isComplete)
    #expect(await diary.gaps.isEmpty)
    #expect(await diary.snapshots[265598, default: 0] == 2 * requests)
  }

  @Test func aFullLogPausesTheReadingAndThenDeclaresItsLoss() async throws {
    let gateway = try await VirtualGateway(
      [apple],
      updatesPerSecond: 200,
      overflow: OverflowPolicy(.backpressure, maximumEvents: 100)
    )
    await gateway.pass(5)
    #expect(await gateway.diary.dropped == 0)
    await gateway.diary.stall()
    await gateway.pass(5)
    #expect(await gateway.stream.overflow == nil)
    await gateway.pass(10)
    #expect(await gateway.stream.overflow != nil)
    await gateway.diary.resume()
    await gateway.pass(5)
    #expect(await gateway.stream.overflow == nil)
    let error = try await gateway.end()
    #expect(error == nil)
    let diary = gateway.diary
    #expect(
      await diary.gaps.map { "\($0.phase) \($0.reason)" } == ["began overflow", "ended overflow"]
    )
    // Nothing is missing that is not accounted for.
    let numbers = await diary.numbers
    #expect(numbers == numbers.sorted())
    #expect(await diary.dropped > 0)
    #expect(numbers.count + (await diary.dropped) == Int(numbers.last ?? 0))
    #expect(await diary.lifecycle.filter { $0 == "readingPaused" }.count >= 1)
  }

  @Test func aFeedEndsWithItsIteration() async throws {
    let gateway = try await VirtualGateway()
    let quotes = try await gateway.stream.subscribe(apple)
    let taken = Task(executorPreference: gateway.loop) {
      var seen: [Bool] = []
      for try await quote in quotes {
        #expect(quote.conid == 265598)
        seen.append(quote.isSnapshot)
        if seen.count == 5 { break }
      }
      return seen
    }
    await gateway.pass(20)
    #expect(try await taken.value == [true, true, false, false, false])
    await gateway.pass(1)
    #expect(await gateway.stream.subscriptions.isEmpty)
    #expect(await gateway.diary.commands.last == "umd+265598+{}")
    _ = try await gateway.end()
  }

  @Test func aCommandThatCannotBeWrittenIsRefused() async throws {
    let gateway = try await VirtualGateway()
    await #expect(throws: IbkrError.self) {
      try await gateway.stream.want(.marketData(conid: 1, exchange: "A+B"))
    }
    _ = try await gateway.end()
  }
}

/// The stream over TLS on the loopback, in real time.
@Suite(.timeLimit(.minutes(5))) struct IbkrWsClientTLSTests {
  @Test func streamsQuotesToABot() async throws {
    var simulated = GatewaySimulatorConfiguration()
    simulated.updatesPerSecond = 50
    let simulator = try await GatewaySimulator.start(simulated)
    var address = IbkrConfiguration()
    address.restURL = simulator.url
    address.trust = .authorities(pem: simulator.caPEM)
    let bids = try await withIbkrWsClient(ibkrClient: try IbkrClient(configuration: address)) {
      stream in
      var bids = 0
      for try await quote in try await stream.subscribe(.marketData(conid: 265598)) {
        if quote.bid != nil { bids += 1 }
        if bids == 20 { break }
      }
      return bids
    }
    #expect(bids == 20)
    try await simulator.stop()
  }

  @Test func anUntrustedServerEndsTheRun() async throws {
    let simulator = try await GatewaySimulator.start()
    var address = IbkrConfiguration()
    address.restURL = simulator.url
    let stream = IbkrWsClient(ibkrClient: try IbkrClient(configuration: address))
    let error = await #expect(throws: IbkrError.self) { try await stream.run() }
    #expect(error?.code == .untrusted)
    try await simulator.stop()
  }
}
