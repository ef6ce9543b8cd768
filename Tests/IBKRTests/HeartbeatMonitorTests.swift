// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

@Suite struct HeartbeatMonitorTests {
  @Test func silenceCountsOnlyWhileWeListen() {
    var monitor = HeartbeatMonitor(limit: .seconds(30))
    #expect(monitor.deadline == nil)
    monitor.heard(at: 5)
    #expect(monitor.deadline == nil)
    monitor.start(at: 0)
    monitor.heard(at: 10_000_000_000)
    #expect(monitor.deadline == 40_000_000_000)
    #expect(!monitor.isDead(at: 39_999_999_999))
    #expect(monitor.isDead(at: 40_000_000_000))
    monitor.pause(at: 20_000_000_000)
    #expect(!monitor.isDead(at: 90_000_000_000))
    monitor.resume(at: 80_000_000_000)
    #expect(monitor.deadline == 100_000_000_000)
    monitor.stop()
    #expect(!monitor.isDead(at: .max))
  }
}
