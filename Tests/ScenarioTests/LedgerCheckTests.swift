// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR
import Testing

@testable import scenarios

/// The check itself: whatever is missing, doubled, out of order or altered has to be found.
@Suite struct LedgerCheckTests {
  fileprivate static let key = SubscriptionKey(
    topic: .marketData,
    target: "265598",
    conid: 265_598,
    number: 1
  )

  /// A run with one connection or more, told from both sides.
  private struct World: ~Copyable {
    var check = LedgerCheck()
    private var builder = EventBatchBuilder()
    private var socket = 0

    mutating func connect(at time: Int64) {
      socket += 1
      check.add([SentFrame(socket: socket, monotonic: time, kind: .opened)])
      own(.connection(.open), at: time)
    }

    mutating func own(_ event: OwnEvent, at time: Int64) {
      builder.append(event, realtime: time, monotonic: time)
    }

    mutating func send(_ text: String, at time: Int64) {
      check.add([
        SentFrame(socket: socket, monotonic: time, kind: .binary, bytes: Array(text.utf8))
      ])
    }

    mutating func receive(_ text: String, at time: Int64, as kind: FrameKind = .binary) {
      Array(text.utf8).withUnsafeBytes { bytes in
        builder.append(bytes, direction: .inbound, kind: kind, realtime: time, monotonic: time)
      }
    }

    mutating func gap(_ phase: Gap.Phase, from start: Int64, to end: Int64? = nil) {
      let gap = Gap(
        id: 1,
        phase: phase,
        start: .init(realtime: start, monotonic: start),
        end: end.map { .init(realtime: $0, monotonic: $0) },
        reason: .disconnect,
        detectedBy: "test",
        subscriptions: [LedgerCheckTests.key],
        seqFirst: 1
      )
      own(.gap(gap), at: end ?? start)
    }

    mutating func conclude(tolerance: Int64 = 0) -> LedgerCheck.Findings {
      for event in builder.take() ?? .dropped(count: 0, range: 0...0) { check.add(event) }
      return check.conclude(tolerance: tolerance)
    }
  }

  private static func quote(_ number: Int) -> String {
    #"{"topic":"smd+265598","conid":265598,"31":"\#(number)"}"#
  }

  @Test func everythingThatCameIsDelivered() {
    var world = World()
    world.connect(at: 10)
    for number in 1...5 {
      world.send(Self.quote(number), at: 10 + Int64(number))
      world.receive(Self.quote(number), at: 20 + Int64(number))
    }
    let findings = world.conclude()
    #expect(findings.problems == [])
    #expect((findings.sent, findings.delivered, findings.inGaps) == (5, 5, 0))
  }

  @Test(arguments: [
    ([1, 3], "was sent", "one is missing"), ([1, 2, 2, 3], "was sent", "one twice"),
    ([2, 1, 3], "was sent", "out of order"), ([1, 2], "in no gap", "the last is missing"),
    ([1, 2, 3, 4], "never sent", "one too many"),
  ])
  func findsWhatIsNotAsItWasSent(_ received: [Int], _ words: String, _ what: String) {
    var world = World()
    world.connect(at: 10)
    for number in 1...3 { world.send(Self.quote(number), at: 11) }
    for number in received { world.receive(Self.quote(number), at: 12) }
    let problems = world.conclude().problems
    #expect(problems.contains { $0.contains(words) }, "\(what): \(problems)")
  }

  @Test func findsAnotherKindOfFrame() {
    var world = World()
    world.connect(at: 10)
    world.send(Self.quote(1), at: 11)
    world.receive(Self.quote(1), at: 12, as: .text)
    #expect(!world.conclude().problems.isEmpty)
  }

  @Test func aLossHasToLieInAGap() {
    // Sent at 50, and never received: before, inside and behind what was declared.
    for (start, end, isCovered) in [
      (40, 60, true), (50, 50, true), (51, 60, false), (40, 49, false),
    ]
      as [(Int64, Int64, Bool)]
    {
      var world = World()
      world.connect(at: 10)
      world.own(.subscription(Self.key, .active), at: 10)
      world.send(Self.quote(1), at: 20)
      world.receive(Self.quote(1), at: 20)
      world.send(Self.quote(2), at: 50)
      world.gap(.began, from: start)
      world.gap(.ended, from: start, to: end)
      let findings = world.conclude()
      #expect(findings.problems.isEmpty == isCovered, "\(start) to \(end)")
      #expect(findings.inGaps == (isCovered ? 1 : 0))
    }
  }

  @Test func theGapHasToBeOfTheSameSubscription() {
    let other = SubscriptionKey(topic: .marketData, target: "8314", conid: 8_314, number: 2)
    var world = World()
    world.connect(at: 10)
    world.own(.subscription(Self.key, .active), at: 10)
    world.own(.subscription(other, .active), at: 10)
    world.send(#"{"topic":"smd+8314","conid":8314,"31":"1"}"#, at: 50)
    world.gap(.began, from: 40)
    #expect(world.conclude().problems.contains { $0.contains("in no gap") })
  }

  @Test func eachConnectionIsHeldAgainstItsSocket() {
    var world = World()
    world.connect(at: 10)
    world.own(.subscription(Self.key, .active), at: 10)
    world.send(Self.quote(1), at: 11)
    world.receive(Self.quote(1), at: 12)
    world.send(Self.quote(2), at: 13)
    world.gap(.began, from: 12)
    world.connect(at: 20)
    world.send(Self.quote(3), at: 21)
    world.receive(Self.quote(3), at: 22)
    world.gap(.ended, from: 12, to: 22)
    let findings = world.conclude()
    #expect(findings.problems == [])
    #expect((findings.sent, findings.delivered, findings.inGaps) == (3, 2, 1))
  }

  @Test func aHoleInTheNumbersIsFound() {
    var check = LedgerCheck()
    for seq: UInt64 in [1, 2, 4] {
      check.add(.connection(.ready, at: Stamp(seq: seq, realtime: 0, monotonic: 0)))
    }
    #expect(check.conclude().problems == ["event 4 follows event 2"])
  }

  @Test func theFirstSubscriberMustNotLoseAnything() {
    var check = LedgerCheck()
    check.add(.dropped(count: 1, range: 1...1))
    #expect(!check.conclude().problems.isEmpty)
  }
}

/// The account of a slow subscriber.
@Suite struct ListenerAccountTests {
  private static func event(_ seq: UInt64) -> Event {
    .connection(.ready, at: Stamp(seq: seq, realtime: 0, monotonic: 0))
  }

  /// Numbers are events, and a pair is a loss of so many with the numbers from there on.
  private static func problems(
    _ steps: [(UInt64, lost: Int)],
    policy: OverflowPolicy = .dropOldest(),
    hasFailed: Bool = false,
    lastSeq: UInt64
  ) -> [String] {
    var account = ListenerAccount(policy: policy)
    for (seq, lost) in steps {
      account.take(
        lost == 0
          ? event(seq) : .dropped(count: lost, range: seq...(seq + UInt64(lost) - 1))
      )
    }
    account.hasFailed = hasFailed
    return account.conclude([], lastSeq: lastSeq).problems
  }

  @Test func aLossThatIsToldInItsPlaceIsAccountedFor() {
    #expect(Self.problems([(1, 0), (2, 3), (5, 0), (6, 0)], lastSeq: 6) == [])
    #expect(Self.problems([(1, 0), (2, 2)], lastSeq: 3) == [])
    #expect(Self.problems([(1, 4), (5, 0)], lastSeq: 5) == [])
  }

  @Test func whatIsNotToldIsFound() {
    #expect(!Self.problems([(1, 0), (3, 0)], lastSeq: 3).isEmpty, "one is missing")
    #expect(!Self.problems([(1, 0), (2, 1), (4, 0)], lastSeq: 4).isEmpty, "one of two is told")
    #expect(!Self.problems([(1, 0), (2, 3), (4, 0)], lastSeq: 4).isEmpty, "one too many is told")
    #expect(!Self.problems([(1, 0), (2, 0), (2, 0)], lastSeq: 2).isEmpty, "one comes twice")
    #expect(!Self.problems([(1, 0), (7, 2), (4, 0)], lastSeq: 4).isEmpty, "told in a wrong place")
    #expect(!Self.problems([(1, 0)], lastSeq: 2).isEmpty, "the last one is missing")
  }

  @Test func whoFailsGetsNothingMore() {
    #expect(Self.problems([(1, 0), (2, 2)], policy: .fail, hasFailed: true, lastSeq: 9) == [])
    #expect(!Self.problems([(1, 0), (2, 2), (4, 0)], policy: .fail, lastSeq: 4).isEmpty)
  }
}
