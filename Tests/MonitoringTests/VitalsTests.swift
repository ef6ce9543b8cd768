// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Testing

@testable import Monitoring

@Suite struct VitalsTests {
  @Test func messagesAreCountedByTopic() throws {
    var world = StreamWorld()
    world.message(topic: .marketData, bytes: 10, delay: 30_000_000)
    world.message(topic: .marketData, bytes: 20, delay: 700_000_000)
    world.message(topic: .marketData, bytes: 5, delay: 0, isSnapshot: true)
    world.message(topic: .system, bytes: 7)
    world.message(topic: .marketData, bytes: 9, direction: .outbound)
    world.message(kind: .ping, bytes: 3)
    let vitals = try world.vitals()
    #expect(vitals.received == [.marketData: 3, .system: 1])
    #expect(vitals.receivedBytes == 42)
    #expect(vitals.sent == 1)
    #expect(vitals.delay.count == 2)
    #expect(vitals.delay.bound(of: 0.5) == 0.05)
    #expect(vitals.delay.bound(of: 1) == 1)
  }

  @Test func aConnectionIsUsableFromTheGreetingOn() throws {
    var world = StreamWorld()
    let start = world.monotonic
    #expect(try world.vitals().disconnected == start)
    world.own(.connection(.connecting(attempt: 1)))
    world.own(.connection(.open))
    #expect(try world.vitals().disconnected == start)
    world.own(.connection(.ready))
    #expect(try world.vitals().disconnected == nil)
    world.pass(.seconds(5))
    world.own(.connection(.lost(.silence, description: "no heartbeat", retryAfter: 1)))
    let lost = world.monotonic
    world.own(.connection(.connecting(attempt: 1)))
    let vitals = try world.vitals()
    #expect(vitals.disconnected == lost)
    #expect(vitals.losses == [.silence: 1])
    #expect(vitals.lastLoss == "no heartbeat")
  }

  @Test func aGapIsOpenUntilTheLastOfItsSubscriptionsHasData() throws {
    var world = StreamWorld()
    let (one, two) = (StreamWorld.key(1), StreamWorld.key(2))
    world.gap(7, .began, [one, two])
    #expect(try world.vitals().missingSubscriptions == 2)
    world.pass(.seconds(3))
    world.gap(7, .ended, [one])
    #expect(try world.vitals().missingSubscriptions == 1)
    #expect(try world.vitals().outages.isEmpty)
    world.pass(.seconds(2))
    world.gap(7, .ended, [two])
    let vitals = try world.vitals()
    #expect(vitals.missingSubscriptions == 0)
    #expect(vitals.openGaps.isEmpty)
    let outage = try #require(vitals.outages[.disconnect])
    #expect(outage.count == 1)
    #expect(outage.nanoseconds >= 5_000_000_000 && outage.nanoseconds < 5_100_000_000)
  }

  @Test func endedSubscriptionsAreForgotten() throws {
    var world = StreamWorld()
    let key = StreamWorld.key(1)
    world.own(.subscription(key, .pending))
    world.own(.subscription(key, .active))
    #expect(try world.vitals().subscriptions[key]?.value == .active)
    world.own(.subscription(key, .ended))
    #expect(try world.vitals().subscriptions.isEmpty)
  }

  @Test func whatWasMissedIsCounted() throws {
    var vitals = Vitals(at: Timestamp(realtime: 0, monotonic: 0, boot: 0))
    vitals.note(.dropped(count: 12, range: 1...12), at: vitals.start)
    #expect(vitals.missed == 12)
  }
}
