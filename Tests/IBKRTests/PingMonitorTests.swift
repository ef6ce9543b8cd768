// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

@Suite struct PingMonitorTests {
  private static let second: Int64 = 1_000_000_000

  @Test func aSilenceIsPingedAndASilentPeerGivenUp() {
    var pings = PingMonitor(interval: .seconds(15), patience: .seconds(10))
    #expect(pings.deadline == nil && pings.act(at: 0) == nil)
    pings.heard(at: 0)
    #expect(pings.act(at: 14 * Self.second) == nil)
    pings.heard(at: 14 * Self.second)
    #expect(pings.deadline == 29 * Self.second)
    #expect(pings.act(at: 29 * Self.second) == .ping)
    #expect(pings.act(at: 30 * Self.second) == nil)
    #expect(pings.deadline == 39 * Self.second)
    // Any sign of life will do.
    pings.heard(at: 38 * Self.second)
    #expect(pings.act(at: 53 * Self.second) == .ping)
    #expect(pings.act(at: 63 * Self.second) == .giveUp)
    #expect(pings.deadline == nil && pings.act(at: 100 * Self.second) == nil)
  }

  @Test func nobodyIsPingedWithoutAnInterval() {
    var pings = PingMonitor(interval: nil, patience: .seconds(10))
    pings.heard(at: 0)
    #expect(pings.deadline == nil && pings.act(at: .max) == nil)
  }
}
