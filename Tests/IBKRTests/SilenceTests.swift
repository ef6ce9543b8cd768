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
