// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import Testing

@testable import Monitoring

@Suite struct HealthVerdictTests {
  /// A stream that is connected, logged in, and has one subscription that streams.
  private func well() -> StreamWorld {
    var world = StreamWorld()
    world.own(.connection(.ready))
    var session = SessionState()
    session.phase = .ready
    world.own(.session(session))
    world.own(.subscription(StreamWorld.key(1), .active))
    return world
  }

  @Test func aStreamThatSaysNothingOfAGapIsWell() throws {
    var world = well()
    #expect(try world.verdict().isHealthy)
    // A closed market: heartbeats come, quotes do not, and no gap is declared.
    for _ in 0..<360 {
      world.pass(.seconds(10))
      world.message(topic: .system, bytes: 10)
      _ = try world.vitals()
    }
    #expect(try world.verdict() == HealthVerdict(troubles: [], isStuck: false))
  }

  @Test func missingDataIsTroubleAfterAWhile() throws {
    var world = well()
    world.gap(1, .began, [StreamWorld.key(1)], reason: .silence)
    world.pass(.seconds(30))
    #expect(try world.verdict().isHealthy)
    world.pass(.seconds(1))
    #expect(
      try world.verdict().troubles == [
        "data of 1 subscription is missing for 31 s: silence, a test"
      ]
    )
    world.gap(1, .ended, [StreamWorld.key(1)], reason: .silence)
    #expect(try world.verdict().isHealthy)
  }

  @Test func aLostConnectionIsTroubleAfterAWhile() throws {
    var world = well()
    world.own(.connection(.lost(.disconnect, description: "end of stream", retryAfter: 1)))
    world.pass(.seconds(90))
    #expect(try world.verdict().troubles == ["no connection for 90 s: end of stream"])
    world.own(.connection(.ready))
    #expect(try world.verdict().isHealthy)
  }

  @Test func aSessionThatNeedsAPersonSaysWhatToDo() throws {
    var world = well()
    var session = SessionState()
    (session.phase, session.reason, session.remedy) = (.loggedOut, "nobody", "log in")
    world.own(.session(session))
    world.pass(.seconds(600))
    #expect(
      try world.verdict().troubles == [
        "the session is logged_out for 10 min: nobody; to do: log in"
      ]
    )
  }

  @Test(arguments: [SubscriptionState.pending, .requested(attempt: 3), .stale])
  func subscriptionsWithoutAnAnswerAreTrouble(_ state: SubscriptionState) throws {
    var world = well()
    world.own(.subscription(StreamWorld.key(1), state))
    world.pass(.seconds(31))
    #expect(try world.verdict().troubles == ["1 subscription without an answer"])
  }

  @Test func aRefusalIsTroubleAtOnceAndNamesNoAccount() throws {
    var world = well()
    let account = SubscriptionKey(
      topic: .accountLedger,
      target: "U1234567",
      conid: nil,
      number: 9
    )
    world.own(.subscription(account, .failed("no permission")))
    #expect(try world.verdict().troubles == ["the server refuses sld: no permission"])
  }

  @Test func itIsStuckWhenNothingOutsideExplainsIt() throws {
    var world = well()
    world.gap(1, .began, [StreamWorld.key(1)], reason: .silence)
    world.pass(.seconds(290))
    world.message(topic: .system, bytes: 10)
    #expect(try !world.verdict().isStuck)
    world.pass(.seconds(11))
    #expect(try world.verdict().isStuck)
  }

  @Test func itIsNotStuckWhileItWaitsForAPersonOrANetwork() throws {
    var world = well()
    world.gap(1, .began, [StreamWorld.key(1)])
    world.own(.connection(.lost(.disconnect, description: "refused", retryAfter: 1)))
    for _ in 0..<60 {
      world.pass(.seconds(60))
      world.own(.connection(.connecting(attempt: 2)))
      #expect(try !world.verdict().isStuck)
    }
    world.own(.connection(.ready))
    var session = SessionState()
    session.phase = .competing
    world.own(.session(session))
    #expect(try !world.verdict().isStuck)
  }

  @Test func itIsStuckWhenNothingHappensAtAll() throws {
    var world = StreamWorld()
    world.own(.connection(.connecting(attempt: 1)))
    _ = try world.vitals()
    world.pass(.seconds(299))
    #expect(try !world.verdict().isStuck)
    world.pass(.seconds(2))
    #expect(try world.verdict().isStuck)
  }
}

extension HealthVerdict {
  fileprivate init(troubles: [String], isStuck: Bool) {
    self.init(
      Vitals(at: StreamWorld.start),
      recorder: nil,
      at: StreamWorld.start
    )
    (self.troubles, self.isStuck) = (troubles, isStuck)
  }
}
