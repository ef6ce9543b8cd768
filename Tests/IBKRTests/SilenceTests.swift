// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import Testing
import Transport

@testable import IBKR

/// Subscriptions that end, or only seem to, while everything else goes on.
@Suite(.timeLimit(.minutes(5))) struct SilenceTests {
  @Test func aSubscriptionThatHasExpiredIsAskedForAgainAndItsGapIsDeclared() async throws {
    let gateway = try await VirtualGateway(
      [.marketData(conid: 265598)],
      events: [.init(.expireSubscriptions, after: .seconds(60))]
    )
    await gateway.pass(120)
    let before = await gateway.diary.quotes[265598, default: 0]
    await gateway.pass(60)
    let after = await gateway.diary.quotes[265598, default: 0]
    #expect(try await gateway.end() == nil)
    let gaps = await gateway.diary.gaps
    #expect(gaps.map(\.reason) == [.expired, .expired])
    #expect(gaps.map(\.phase) == [.began, .ended])
    let gap = try #require(gaps.last)
    #expect(gap.conids == [265598])
    // From the last message to the image, which came within the shortest silence that is suspicious.
    let end = try #require(gap.end)
    #expect((50...61).contains(gap.start.monotonic / 1_000_000_000))
    #expect((80...110).contains(end.monotonic / 1_000_000_000))
    // No connection was lost, and afterwards data comes as before.
    #expect(await gateway.diary.lifecycle.count { $0 == "ready" } == 1)
    #expect(after - before > 10)
    #expect(await gateway.diary.isComplete)
  }

  @Test func anInstrumentThatHasGoneQuietHasNoGap() async throws {
    let gateway = try await VirtualGateway([.marketData(conid: 265598)], updatesPerSecond: 2)
    await gateway.pass(120)
    let before = await gateway.diary.snapshots[265598, default: 0]
    // The server publishes an image whenever it is asked for one, and its time is of then.
    await gateway.simulator.setPace(.seconds(40_000)...(.seconds(40_000)))
    await gateway.pass(1_200)
    let after = await gateway.diary.snapshots[265598, default: 0]
    #expect(try await gateway.end() == nil)
    // It was asked for its image, and later each time; nothing in it was news.
    #expect((2 * 4...2 * 8).contains(after - before))
    #expect(await gateway.diary.gaps.isEmpty)
    #expect(await gateway.diary.lifecycle.count { $0 == "ready" } == 1)
  }

  @Test func quotesThatStopForEverybodyAreLookedUpByREST() async throws {
    // Neither ticks nor images come for four minutes, while REST has news and heartbeats go on.
    let gateway = try await VirtualGateway(
      [.marketData(conid: 265598), .marketData(conid: 272093)],
      events: [.init(.dataPause(for: .seconds(240)), after: .seconds(60))]
    )
    await gateway.pass(600)
    #expect(try await gateway.end() == nil)
    let gaps = await gateway.diary.gaps
    #expect(!gaps.isEmpty)
    #expect(gaps.allSatisfy { [.silence, .expired].contains($0.reason) })
    #expect(gaps.contains { $0.phase == .ended && $0.conids.contains(265598) })
    #expect(gaps.contains { $0.phase == .ended && $0.conids.contains(272093) })
    #expect(gaps.allSatisfy { $0.phase != .abandoned })
    #expect(await gateway.diary.isComplete)
  }
}
