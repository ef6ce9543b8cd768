// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import Testing
import Transport

@testable import IBKR

/// Faults of IBind that are about the client as a whole, shown not to be here.
@Suite(.timeLimit(.minutes(5))) struct IBindFaultTests {
  /// Notes how long each message has been on its way to the sink.
  private actor Delays: EventSink {
    private nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private(set) var longest: Int64 = 0
    private(set) var count = 0

    init(on loop: EventLoop) { self.loop = loop }

    func write(_ batch: EventBatch) {
      for event in batch {
        guard case .message(let message) = event else { continue }
        longest = max(longest, loop.now - message.stamp.monotonic)
        count += 1
      }
    }
  }

  private let apple = MarketDataFeed(conid: 265598, exchange: nil, fields: MarketDataField.standard)

  /// IBind's threads look four times a second; here nobody looks, somebody is woken.
  @Test func aMessageReachesItsSinkInTheInstantInWhichItCame() async throws {
    let gateway = try await VirtualGateway([apple], updatesPerSecond: 20)
    let delays = Delays(on: gateway.loop)
    gateway.stream.attach(delays)
    await gateway.pass(30)
    #expect(try await gateway.end() == nil)
    #expect(await delays.count > 300)
    #expect(await delays.longest == 0)
  }

  /// IBind asks by REST in the thread that hands on the events.
  @Test func aCallWithoutAnAnswerHoldsNothingUp() async throws {
    let gateway = try await VirtualGateway([apple], updatesPerSecond: 20)
    let delays = Delays(on: gateway.loop)
    gateway.stream.attach(delays)
    await gateway.pass(30)
    await gateway.simulator.inject(.tickleTimeout(for: .seconds(300)))
    let before = await delays.count
    await gateway.pass(300)
    #expect(await delays.count > before + 3_000)
    #expect(await delays.longest == 0)
    #expect(try await gateway.end() == nil)
    #expect(await gateway.diary.gaps.isEmpty)
  }

  /// The gateway answers pings though nothing comes from IBKR behind it: only messages count.
  @Test func pongsProveNothing() async throws {
    let gateway = try await VirtualGateway([apple])
    await gateway.pass(20)
    await gateway.simulator.inject(.silence(for: .seconds(120)))
    await gateway.pass(40)
    let diary = gateway.diary
    #expect(await diary.kinds.isSuperset(of: [.ping, .pong]))
    #expect(await diary.lifecycle.contains("lost silence"))
    let gap = try #require(await diary.gaps.first)
    // It begins with the last message, not with the last pong.
    let silent = gateway.loop.now - gap.start.monotonic
    #expect(silent >= 39_000_000_000)
    #expect(try await gateway.end() == nil)
    #expect(await diary.isComplete)
  }

  @Test func aGatewayIsTickledToo() async throws {
    let gateway = try await VirtualGateway()
    await gateway.pass(3)
    let client = gateway.stream.ibkrClient
    let first = await client.session.lastTickle
    await gateway.pass(600)
    let last = await client.session.lastTickle
    #expect(gateway.loop.now - last < 61_000_000_000)
    #expect(last - first >= 540_000_000_000)
    _ = try await gateway.end()
  }
}
