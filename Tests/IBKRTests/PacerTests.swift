// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import Testing

@testable import IBKR

@Suite struct PacerTests {
  private static let second: Int64 = 1_000_000_000

  /// A request as the simulation below has it.
  private struct Call {
    var method: HTTPMethod
    var path: String
    var urgency: CallUrgency
    var enqueuedAt: Int64
    var decidedAt: Int64?
    var sentAt: Int64?
    var endedAt: Int64?
    /// Its place in the table; nil if it has none.
    var rule: Int?

    init(_ method: HTTPMethod, _ path: String, _ urgency: CallUrgency, at time: Int64) {
      self.method = method
      self.path = path
      self.urgency = urgency
      enqueuedAt = time
      rule = PacingRule.index(of: method, path)
    }
  }

  /// What a busy program does for two minutes, and what the pacer made of it.
  private static func simulate(seed: UInt64) -> [Call] {
    var random = Jitter(seed: seed)
    var pacer = Pacer()
    var calls: [Pacer.Ticket: Call] = [:]
    var ends: [(time: Int64, ticket: Pacer.Ticket)] = []
    let favourites = [PacingRule.table[0], PacingRule.table[1], PacingRule.table[24]]
    // In bursts: what is evenly spread needs no pacer.
    var arrivals: [Int64] = []
    while arrivals.count < 300 {
      let time = Int64.random(in: 0...(120 * second), using: &random)
      for _ in 0..<Int.random(in: 1...60, using: &random) { arrivals.append(time) }
    }
    arrivals.sort()
    var now: Int64 = 0
    while true {
      for (ticket, verdict) in pacer.decide(at: now) {
        calls[ticket]?.decidedAt = now
        guard verdict == .send else { continue }
        calls[ticket]?.sentAt = now
        let latency = Int64.random(in: 5_000_000...(3 * second), using: &random)
        ends.append((now + latency, ticket))
      }
      let next = [arrivals.first, ends.map(\.time).min(), pacer.deadline(at: now)]
        .compactMap(\.self).min()
      guard let next else { break }
      now = max(now, next)
      for end in ends where end.time <= now {
        pacer.ended(end.ticket, isAnswered: true, at: now)
        calls[end.ticket]?.endedAt = end.time
      }
      ends.removeAll { $0.time <= now }
      while let arrival = arrivals.first, arrival <= now {
        arrivals.removeFirst()
        let rule =
          Bool.random(using: &random)
          ? favourites.randomElement(using: &random)
          : PacingRule.table.randomElement(using: &random)
        let path = rule?.path.split(separator: "/").map { $0 == "{}" ? "M8" : String($0) }
        let isOther = Int.random(in: 0..<8, using: &random) == 0
        let call = Call(
          rule?.methods.randomElement(using: &random) ?? .get,
          isOther ? "iserver/accounts" : path?.joined(separator: "/") ?? "",
          Bool.random(using: &random) ? .live : .backfill,
          at: now
        )
        let ticket = pacer.enqueue(
          call.method,
          call.path,
          call.urgency,
          at: now,
          patience: 15 * second
        )
        calls[ticket] = call
      }
    }
    return calls.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The largest number of times in any stretch that is so long.
  private static func most(_ times: [Int64], in stretch: Int64) -> Int {
    let times = times.sorted()
    var first = 0
    var most = 0
    for last in times.indices {
      while times[last] - times[first] >= stretch { first += 1 }
      most = max(most, last - first + 1)
    }
    return most
  }

  @Test(arguments: UInt64(0)..<20)
  func everyRuleHoldsWhateverIsAsked(seed: UInt64) {
    let calls = Self.simulate(seed: seed)
    Self.checkLimits(calls)
    Self.checkOrder(calls)
    // Each is decided about, and in time.
    for call in calls {
      let decidedAt = call.decidedAt ?? .max
      #expect(decidedAt >= call.enqueuedAt)
      #expect(decidedAt <= call.enqueuedAt + 15 * Self.second, "\(call.path)")
    }
  }

  /// No stretch of time exceeds the table.
  private static func checkLimits(_ calls: [Call]) {
    let sent = calls.compactMap(\.sentAt)
    #expect(sent.count > 50)
    #expect(Self.most(sent, in: Self.second) <= 10)
    #expect(Self.most(sent, in: 60 * Self.second) <= 600)
    for (index, rule) in PacingRule.table.enumerated() {
      let own = calls.filter { $0.rule == index }
      let times = own.compactMap(\.sentAt)
      for limit in rule.limits {
        let period = limit.period.nanoseconds
        #expect(Self.most(times, in: period) <= limit.count, "\(rule.path)")
        let inAMinute = max(1, 60 * Self.second / period) * Int64(limit.count)
        #expect(Self.most(times, in: 60 * Self.second) <= inAMinute, "\(rule.path) in a minute")
      }
      guard let concurrent = rule.concurrent else { continue }
      for call in own {
        guard let time = call.sentAt else { continue }
        let together = own.count { other in
          guard let sentAt = other.sentAt, let endedAt = other.endedAt else { return false }
          return sentAt <= time && endedAt > time
        }
        #expect(together <= concurrent)
      }
    }
  }

  /// Equals go in their order, and the urgent first.
  private static func checkOrder(_ calls: [Call]) {
    for group in Dictionary(grouping: calls.filter { $0.sentAt != nil }, by: \.rule).values {
      for urgency in CallUrgency.allCases {
        let times = group.filter { $0.urgency == urgency }.compactMap(\.sentAt)
        #expect(times == times.sorted())
      }
      // Whoever was there already and is more urgent has been sent no later.
      var latestUrgent: Int64 = 0
      for call in group {
        if call.urgency == .live { latestUrgent = max(latestUrgent, call.sentAt ?? 0) }
        if call.urgency == .backfill { #expect((call.sentAt ?? .max) >= latestUrgent) }
      }
    }
  }

  private func rule(_ method: HTTPMethod, _ path: String) -> PacingRule? {
    PacingRule.index(of: method, path).map { PacingRule.table[$0] }
  }

  @Test func backfillLeavesRoomForTheLiving() {
    var pacer = Pacer()
    for _ in 0..<100 {
      _ = pacer.enqueue(
        .get,
        "iserver/marketdata/history",
        .backfill,
        at: 0,
        patience: 100 * Self.second
      )
    }
    #expect(pacer.decide(at: 0).count == 5)
    for _ in 0..<20 {
      _ = pacer.enqueue(.get, "trsrv/secdef", .backfill, at: 0, patience: 100 * Self.second)
    }
    #expect(pacer.decide(at: 0).count == 2)
    let urgent = (0..<3).map { _ in
      pacer.enqueue(.get, "iserver/accounts", .live, at: 1, patience: Self.second)
    }
    let decisions = pacer.decide(at: 1)
    #expect(decisions.map(\.ticket) == urgent)
    #expect(decisions.allSatisfy { $0.verdict == .send })
  }

  @Test func whatWouldWaitForTooLongIsToldSo() {
    var pacer = Pacer()
    func ask(at time: Int64) -> Pacer.Verdict? {
      _ = pacer.enqueue(.get, "iserver/scanner/params", .live, at: time, patience: 15 * Self.second)
      return pacer.decide(at: time).first?.verdict
    }
    #expect(ask(at: 0) == .send)
    let wait = 840 * Self.second + TokenBucket.margin
    #expect(ask(at: 60 * Self.second) == .refuse(after: wait))
    #expect(ask(at: 60 * Self.second + wait - 15 * Self.second) == nil)
    #expect(pacer.deadline(at: 60 * Self.second) == 60 * Self.second + wait)
    #expect(pacer.decide(at: 60 * Self.second + wait).map(\.verdict) == [.send])
  }

  @Test func whatIsWithdrawnTakesNothing() {
    var pacer = Pacer()
    let first = pacer.enqueue(.post, "tickle", .live, at: 0, patience: Self.second)
    pacer.withdraw(first)
    let second = pacer.enqueue(.post, "tickle", .live, at: 0, patience: Self.second)
    #expect(pacer.decide(at: 0).map(\.ticket) == [second])
  }

  @Test(
    arguments: [
      (.get, "iserver/marketdata/snapshot", 10), (.post, "tickle", 1), (.get, "tickle", 1),
      (.get, "/fyi/settings/M8", 1), (.put, "fyi/disclaimer/M8", 1), (.get, "sso/validate", 1),
      (.get, "fyi/deliveryoptions/email", 1), (.delete, "fyi/deliveryoptions/1", 1),
      (.get, "fyi/notifications/more", 1), (.get, "fyi/notifications/7", 1),
      (.get, "iserver/accounts", nil), (.post, "iserver/marketdata/snapshot", nil),
      (.get, "fyi/settings/M8/more", nil), (.post, "oauth/live_session_token", nil),
    ] as [(HTTPMethod, String, Int?)]
  )
  func theTableIsFound(_ method: HTTPMethod, _ path: String, _ count: Int?) {
    #expect(rule(method, path)?.limits.first?.count == count)
  }

  @Test func whatWasNotAnsweredMayHaveArrivedLate() throws {
    var pacer = Pacer()
    func ask(at time: Int64) -> Pacer.Ticket {
      pacer.enqueue(.get, "iserver/account/orders", .live, at: time, patience: 60 * Self.second)
    }
    let first = ask(at: 0)
    #expect(pacer.decide(at: 0).map(\.ticket) == [first])
    // The network stood still, and delivered when it broke.
    pacer.ended(first, isAnswered: false, at: 10 * Self.second)
    let second = ask(at: 12 * Self.second)
    #expect(pacer.decide(at: 12 * Self.second).isEmpty)
    let time = try #require(pacer.deadline(at: 12 * Self.second))
    #expect(time == 15 * Self.second + TokenBucket.margin)
    #expect(pacer.decide(at: time).map(\.ticket) == [second])
    pacer.ended(second, isAnswered: true, at: time + Self.second)
    // The first one may have come with the answered one, and counts as long as that.
    let third = ask(at: 20 * Self.second)
    #expect(pacer.deadline(at: 20 * Self.second) == time + 6 * Self.second + TokenBucket.margin)
    #expect(pacer.decide(at: time + 6 * Self.second + TokenBucket.margin).map(\.ticket) == [third])
  }

  @Test func aNetworkThatStoodStillDeliversWhenItGoesAgain() throws {
    var pacer = Pacer()
    func ask(_ path: String, at time: Int64) -> Pacer.Ticket {
      pacer.enqueue(.get, path, .live, at: time, patience: 60 * Self.second)
    }
    let lost = ask("iserver/account/orders", at: 0)
    #expect(pacer.decide(at: 0).count == 1)
    // Given up after ten seconds; the network goes again after a minute, and the first answer shows it.
    pacer.ended(lost, isAnswered: false, at: 10 * Self.second)
    let tickle = ask("tickle", at: 60 * Self.second)
    #expect(pacer.decide(at: 60 * Self.second).map(\.ticket) == [tickle])
    pacer.ended(tickle, isAnswered: true, at: 61 * Self.second)
    _ = ask("iserver/account/orders", at: 62 * Self.second)
    #expect(pacer.decide(at: 62 * Self.second).isEmpty)
    #expect(pacer.deadline(at: 62 * Self.second) == 66 * Self.second + TokenBucket.margin)
  }

  @Test func anExactPathComesBeforeAPattern() {
    #expect(rule(.get, "fyi/notifications/more")?.path == "fyi/notifications/more")
    #expect(rule(.get, "fyi/deliveryoptions/email")?.path == "fyi/deliveryoptions/email")
  }
}

@Suite struct CircuitTests {
  private static let second: Int64 = 1_000_000_000

  @Test func aRefusalSilencesEverythingAndOneCallProbes() {
    var pacer = Pacer()
    func ask(at time: Int64) -> (ticket: Pacer.Ticket, verdict: Pacer.Verdict?) {
      let ticket = pacer.enqueue(.get, "iserver/accounts", .live, at: time, patience: Self.second)
      return (ticket, pacer.decide(at: time).first { $0.ticket == ticket }?.verdict)
    }
    let first = ask(at: 0).ticket
    let together = ask(at: 1).ticket
    #expect(pacer.refused(first, retryAfter: nil, at: 100) == 60 * Self.second)
    // Sent before the first was refused: no new offence.
    #expect(pacer.refused(together, retryAfter: nil, at: 200) == 60 * Self.second - 100)
    #expect(ask(at: 30 * Self.second).verdict == .refuse(after: 30 * Self.second + 100))
    let time = 60 * Self.second + 100
    let probe = ask(at: time)
    #expect(probe.verdict == .send)
    // Nobody else goes while the probe is under way.
    #expect(ask(at: time).verdict == nil)
    // The box is real: the second pause is as long as it.
    #expect(pacer.refused(probe.ticket, retryAfter: nil, at: time) == 900 * Self.second)
    // Who waited for the probe is told.
    #expect(pacer.decide(at: time).map(\.verdict) == [.refuse(after: 900 * Self.second)])
    let again = ask(at: time + 900 * Self.second)
    #expect(again.verdict == .send)
    pacer.ended(again.ticket, isAnswered: true, at: time + 900 * Self.second)
    for _ in 0..<5 { #expect(ask(at: time + 901 * Self.second).verdict == .send) }
  }

  @Test(
    arguments: [
      (nil, 60), (0, 1), (1, 1), (30, 30), (7_200, 7_200), (1_000_000, 86_400),
    ] as [(Int64?, Int64)]
  )
  func retryAfterDecides(_ said: Int64?, _ pause: Int64) {
    var circuit = Circuit()
    circuit.sent(1)
    circuit.refused(1, sentAt: 0, retryAfter: said.map { $0 * Self.second }, at: 0)
    #expect(circuit.pause(at: 0) == pause * Self.second)
    #expect(!circuit.admits(at: pause * Self.second - 1))
    #expect(circuit.admits(at: pause * Self.second))
  }

  @Test func aProbeWithoutAnAnswerShowsNothing() {
    var circuit = Circuit()
    circuit.refused(1, sentAt: 0, retryAfter: nil, at: 0)
    let end = Circuit.firstPause
    circuit.sent(2)
    #expect(!circuit.admits(at: end))
    circuit.ended(2, isAnswered: false)
    // The next one is a probe too.
    #expect(circuit.admits(at: end))
    circuit.sent(3)
    #expect(!circuit.admits(at: end))
    circuit.ended(3, isAnswered: true)
    circuit.sent(4)
    #expect(circuit.admits(at: end))
  }
}

@Suite struct RetryAfterTests {
  // 2026-04-30 12:28:30 GMT
  private static let now: Int64 = 1_777_552_110_000_000_000

  @Test(
    arguments: [
      ("0", 0), ("120", 120), ("86401", 86_400), ("99999999999999999999", 86_400),
      ("Thu, 30 Apr 2026 12:29:30 GMT", 60), ("Thursday, 30-Apr-26 12:28:31 GMT", 1),
      ("Thu Apr 30 12:30:30 2026", 120), ("Thu, 30 Apr 2026 12:00:00 GMT", 0),
      ("", nil), ("-5", nil), ("1.5", nil), ("soon", nil), ("12 s", nil),
      ("Thu, 30 Foo 2026 12:29:30 GMT", nil),
    ] as [(String, Int64?)]
  )
  func secondsAndDates(_ text: String, _ seconds: Int64?) {
    let wait = RetryAfter.nanoseconds(of: text, now: Self.now)
    #expect(wait == seconds.map { $0 * 1_000_000_000 })
  }
}
