// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import OAuth1a
import Testing

@testable import IBKR

@Suite struct SubscriptionReconcilerTests {
  private static let second: Int64 = 1_000_000_000

  /// Runs a reconciler on a clock of its own.
  private struct Bench {
    var reconciler: SubscriptionReconciler
    var generator = SystemRandomNumberGenerator()
    var now: Int64 = 0
    var sent: [String] = []
    var states: [String] = []

    init(timing: SubscriptionReconciler.Timing = .init()) {
      var timing = timing
      timing.renewalJitter = 0
      reconciler = SubscriptionReconciler(timing: timing)
    }

    mutating func want(_ conid: Int, fields: [MarketDataField] = [.lastPrice]) -> SubscriptionKey {
      let (key, actions) = reconciler.want(
        MarketDataFeed(conid: conid, exchange: nil, fields: fields).request
      )
      note(actions)
      return key
    }

    mutating func note(_ actions: [SubscriptionReconciler.Action]) {
      for action in actions {
        switch action {
        case .send(let text, _): sent.append("\(now / 1_000_000) \(text)")
        case .state(let key, let state): states.append("\(key.target) \(state)")
        }
      }
    }

    /// Acts at every deadline up to a time.
    mutating func run(until end: Int64) {
      while let deadline = reconciler.deadline, deadline <= end {
        now = max(now, deadline)
        note(reconciler.act(at: now, using: &generator))
      }
      now = end
    }

    mutating func answer(_ key: SubscriptionKey, isImage: Bool = true) {
      note(reconciler.answered(key.number, isImage: isImage, at: now, using: &generator))
    }
  }

  @Test func whoFindsNoLineWaitsUntilAnotherEnds() {
    var timing = SubscriptionReconciler.Timing()
    timing.marketDataLines = 2
    var bench = Bench(timing: timing)
    let keys = (1...3).map { bench.want($0) }
    #expect(bench.reconciler.waitingForLines == 1)
    bench.reconciler.ready()
    bench.run(until: Self.second)
    for key in keys.prefix(2) { bench.answer(key) }
    bench.run(until: 60 * Self.second)
    #expect(!bench.sent.contains { $0.contains("smd+3+") })
    #expect(bench.states.last { $0.hasPrefix("3 ") } == "3 pending")
    bench.note(bench.reconciler.release(keys[0]))
    bench.run(until: 61 * Self.second)
    #expect(bench.sent.contains { $0.contains("smd+3+") })
    #expect(bench.reconciler.waitingForLines == 0)
  }

  @Test func aRenewalWithoutAnAnswerIsRepeatedSoonerThanTheNext() {
    var bench = Bench()
    let key = bench.want(1)
    bench.reconciler.ready()
    bench.run(until: Self.second)
    bench.answer(key)
    // It is due after 510 s, repeated after 10 more, and then REST shows that there is no news.
    bench.run(until: 522 * Self.second)
    var pauses: [Int64] = []
    for _ in 0..<5 {
      bench.note(bench.reconciler.excused(key.number, at: bench.now, using: &bench.generator))
      #expect(bench.states.last == "1 active")
      let sent = bench.sent.count
      let excusedAt = bench.now
      while bench.sent.count == sent { bench.run(until: bench.now + Self.second) }
      pauses.append((bench.now - excusedAt) / Self.second)
      bench.run(until: bench.now + 11 * Self.second)
    }
    #expect(pauses == [60, 120, 240, 480, 510])
    // An image is an answer: everything is as it was.
    bench.answer(key)
    let sent = bench.sent.count
    bench.run(until: bench.now + 500 * Self.second)
    #expect(bench.sent.count == sent)
  }

  @Test func nothingIsSentBeforeTheServerListens() {
    var bench = Bench()
    _ = bench.want(1)
    #expect(bench.reconciler.deadline == nil)
    bench.run(until: 60 * Self.second)
    #expect(bench.sent.isEmpty)
    bench.reconciler.ready()
    bench.run(until: 60 * Self.second)
    #expect(bench.sent == [#"60000 smd+1+{"fields":["31"]}"#])
  }

  @Test func commandsKeepTheirDistance() {
    var bench = Bench()
    for conid in 1...5 { _ = bench.want(conid) }
    bench.reconciler.ready()
    bench.run(until: 500_000_000)
    #expect(bench.sent.map { $0.prefix { $0 != " " } } == ["0", "50", "100", "150", "200"])
  }

  @Test func silentRequestsAreRepeatedForEverAndHoldUpNobody() {
    var bench = Bench()
    let silent = bench.want(1)
    let lively = bench.want(2)
    bench.reconciler.ready()
    bench.run(until: Self.second)
    bench.answer(lively)
    bench.run(until: 200 * Self.second)
    let repeats = bench.sent.filter { $0.contains("smd+1+") }.map { $0.prefix { $0 != " " } }
    #expect(repeats == ["0", "10000", "30000", "70000", "130000", "190000"])
    #expect(bench.sent.filter { $0.contains("smd+2+") }.count == 1)
    bench.answer(silent)
    #expect(bench.reconciler.isSettled)
    #expect(bench.states.last == "1 active")
  }

  @Test func aLimitOfAttemptsEndsInFailure() {
    var timing = SubscriptionReconciler.Timing()
    timing.attempts = 2
    var bench = Bench(timing: timing)
    _ = bench.want(1)
    bench.reconciler.ready()
    bench.run(until: 300 * Self.second)
    #expect(bench.sent.count == 2)
    #expect(bench.states.last == #"1 failed("no answer to 2 requests")"#)
  }

  @Test func marketDataIsRenewedBeforeItExpires() {
    var bench = Bench()
    let key = bench.want(1)
    bench.reconciler.ready()
    bench.run(until: 0)
    bench.answer(key)
    bench.run(until: 509 * Self.second)
    #expect(bench.sent.count == 1)
    bench.run(until: 510 * Self.second)
    #expect(bench.sent.count == 2)
    #expect(bench.states.last == "1 renewing")
    // A message of the old request proves nothing yet …
    bench.answer(key, isImage: false)
    #expect(bench.states.last == "1 renewing")
    // … but it is not silence either.
    bench.run(until: 521 * Self.second)
    #expect(bench.states.last == "1 active")
    #expect(bench.sent.count == 2)
  }

  @Test func aRenewalThatBringsNothingIsStale() {
    var bench = Bench()
    let key = bench.want(1)
    bench.reconciler.ready()
    bench.run(until: 0)
    bench.answer(key)
    bench.run(until: 520 * Self.second)
    #expect(bench.states.suffix(3) == ["1 renewing", "1 stale", "1 requested(attempt: 1)"])
    bench.answer(key)
    #expect(bench.states.last == "1 active")
  }

  @Test func aLossAsksForEverythingAgain() {
    var bench = Bench()
    let first = bench.want(1)
    let second = bench.want(2)
    bench.reconciler.ready()
    bench.run(until: Self.second)
    bench.answer(first)
    bench.answer(second)
    bench.note(bench.reconciler.lost())
    #expect(bench.states.suffix(2) == ["1 pending", "2 pending"])
    bench.sent = []
    bench.run(until: 100 * Self.second)
    #expect(bench.sent.isEmpty)
    bench.reconciler.ready()
    bench.run(until: 101 * Self.second)
    #expect(bench.sent.map { $0.split(separator: "+")[1] } == ["1", "2"])
  }

  @Test func twoHoldersShareOneSubscriptionWithTheFieldsOfBoth() {
    var bench = Bench()
    let key = bench.want(1, fields: [.lastPrice, .bidPrice])
    bench.reconciler.ready()
    bench.run(until: Self.second)
    bench.answer(key)
    let again = bench.want(1, fields: [.bidPrice, .askPrice])
    #expect(again == key)
    bench.run(until: 2 * Self.second)
    #expect(bench.sent.last?.hasSuffix(#"smd+1+{"fields":["31","84","86"]}"#) == true)
    bench.note(bench.reconciler.release(key))
    #expect(bench.reconciler.keys == [key])
    bench.note(bench.reconciler.release(key))
    #expect(bench.reconciler.keys.isEmpty)
    bench.run(until: 3 * Self.second)
    #expect(bench.sent.last?.hasSuffix("umd+1+{}") == true)
    bench.run(until: 2_000 * Self.second)
    #expect(bench.sent.count == 3)
  }

  private func history(
    _ conid: Int,
    _ period: HistoryPeriod? = nil,
    in bench: inout Bench
  ) throws -> SubscriptionKey {
    let feed: HistoryFeed = try .history(conid: conid, period: period)
    let (key, actions) = bench.reconciler.want(feed.request)
    bench.note(actions)
    return key
  }

  @Test func fiveHistoriesAreOpenAndThoseWithAnAnswerGiveWay() throws {
    var bench = Bench()
    let keys = try (1...7).map { try history($0, in: &bench) }
    bench.reconciler.ready()
    bench.run(until: Self.second)
    #expect(bench.sent.count == 5)
    // An answer that the server gives no name cannot be ended.
    bench.answer(keys[1])
    bench.run(until: 2 * Self.second)
    #expect(bench.sent.count == 5)
    bench.reconciler.named(keys[3].number, "341115")
    bench.answer(keys[3])
    bench.run(until: 3 * Self.second)
    #expect(bench.sent.suffix(2) == ["2000 umh+341115", "2050 smh+6+{}"])
    #expect(bench.states.last == "6 requested(attempt: 1)")
    // It stays what it is: it has its answer. The seventh waits for another.
    #expect(bench.states.filter { $0 == "4 pending" }.count == 1)
    #expect(!bench.sent.contains { $0.contains("smh+7") })
    bench.note(bench.reconciler.release(keys[3]))
    bench.run(until: 4 * Self.second)
    #expect(bench.sent.count == 7)
    bench.note(bench.reconciler.lost())
    bench.sent = []
    bench.reconciler.ready()
    bench.run(until: 5 * Self.second)
    #expect(bench.sent.map { $0.split(separator: "+")[1] } == ["1", "2", "3", "5", "6"])
  }

  @Test func historyIsEndedByTheServersNameForIt() throws {
    var bench = Bench()
    let key = try history(1, in: &bench)
    bench.reconciler.ready()
    bench.run(until: 0)
    // Not answered yet: the server has no name for it.
    #expect(bench.reconciler.farewell().isEmpty)
    bench.reconciler.named(key.number, "34{1")
    bench.answer(key)
    #expect(bench.reconciler.farewell().isEmpty)
    bench.reconciler.named(key.number, "341115")
    #expect(bench.reconciler.farewell() == ["umh+341115"])
    bench.note(bench.reconciler.release(key))
    bench.run(until: Self.second)
    #expect(bench.sent.last == "1000 umh+341115" || bench.sent.last == "50 umh+341115")
    // The answer to a repetition has a name of its own.
    bench.reconciler.unclaimed("341116")
    bench.reconciler.unclaimed("341116")
    bench.reconciler.unclaimed("3+{}")
    bench.run(until: 2 * Self.second)
    #expect(bench.sent.count == 3 && bench.sent.last?.hasSuffix("umh+341116") == true)
  }

  @Test func twoHistoriesOfOneInstrumentAreAskedForOneAfterTheOther() throws {
    var bench = Bench()
    let day = try history(1, .days(1), in: &bench)
    let year = try history(1, .years(1), in: &bench)
    let other = try history(2, in: &bench)
    #expect(day != year)
    #expect(try history(1, .days(1), in: &bench) == day)
    bench.reconciler.ready()
    bench.run(until: Self.second)
    #expect(
      bench.sent.map { $0.drop { $0 != " " } } == [#" smh+1+{"period":"1d"}"#, " smh+2+{}"]
    )
    bench.answer(other)
    bench.answer(day)
    bench.run(until: 2 * Self.second)
    #expect(bench.sent.last?.hasSuffix(#"smh+1+{"period":"1y"}"#) == true)
    bench.note(bench.reconciler.release(day))
    #expect(bench.reconciler.keys.contains(day))
    bench.note(bench.reconciler.release(day))
    #expect(!bench.reconciler.keys.contains(day) && bench.reconciler.keys.contains(year))
  }

  @Test func liveOrdersWaitForWhatIsAskedBeforeThem() {
    var timing = SubscriptionReconciler.Timing()
    timing.asksBefore = [.orders]
    var bench = Bench(timing: timing)
    bench.note(bench.reconciler.want(OrdersFeed(status: nil, days: nil).request).actions)
    bench.reconciler.ready()
    bench.run(until: Self.second)
    #expect(bench.sent.isEmpty && bench.reconciler.deadline == nil)
    bench.reconciler.admit(.orders)
    bench.run(until: 2 * Self.second)
    #expect(bench.sent == ["1000 sor+{}"])
    bench.note(bench.reconciler.lost())
    bench.reconciler.ready()
    bench.run(until: 60 * Self.second)
    #expect(bench.sent.count == 1)
  }

  @Test func whatIsRenewedIsSpread() {
    var reconciler = SubscriptionReconciler()
    var generator = Jitter(seed: 5)
    var now: Int64 = 0
    for conid in 1...50 {
      _ = reconciler.want(MarketDataFeed(conid: conid, exchange: nil, fields: [.lastPrice]).request)
    }
    reconciler.ready()
    var sent: [Int64] = []
    while let deadline = reconciler.deadline, deadline < 600 * Self.second {
      now = max(now, deadline)
      for case .send(_, let number?) in reconciler.act(at: now, using: &generator) {
        sent.append(now)
        _ = reconciler.answered(number, isImage: true, at: now, using: &generator)
      }
    }
    let renewals = sent.dropFirst(50)
    #expect(renewals.count >= 50)
    #expect(renewals.prefix(50).allSatisfy { $0 > 479 * Self.second })
    // Not in one go: in no second more than a few of them.
    let most = Dictionary(grouping: renewals) { $0 / Self.second }.values.map(\.count).max()
    #expect((most ?? 0) <= 8)
  }

  @Test func whatHasFailedStaysSo() {
    var timing = SubscriptionReconciler.Timing()
    timing.attempts = 2
    var bench = Bench(timing: timing)
    _ = bench.want(1)
    let refused = bench.want(2)
    bench.reconciler.ready()
    bench.run(until: Self.second)
    bench.note(bench.reconciler.refused(refused.number, "no permission"))
    bench.run(until: 3_600 * Self.second)
    #expect(bench.sent.count == 3)
    #expect(bench.states.suffix(1) == [#"1 failed("no answer to 2 requests")"#])
  }

  @Test func whatHasEndedIsNotEndedAgainAfterALoss() {
    var bench = Bench()
    let ended = bench.want(1)
    let other = bench.want(2)
    bench.reconciler.ready()
    bench.run(until: Self.second)
    bench.answer(ended)
    bench.answer(other)
    bench.note(bench.reconciler.release(ended))
    bench.note(bench.reconciler.lost())
    bench.sent = []
    bench.reconciler.ready()
    bench.run(until: 3_600 * Self.second)
    #expect(bench.sent.allSatisfy { $0.contains("smd+2+") })
  }

  @Test func aLadderThatEndsWithAnothersAccountIsAskedForAgain() throws {
    var bench = Bench()
    let keys = try [(1, "DU1"), (2, "DU1"), (3, "DU2")].map { conid, account in
      let feed: PriceLadderFeed = try .priceLadder(account: Secret(account), conid: conid)
      let (key, actions) = bench.reconciler.want(feed.request)
      bench.note(actions)
      return key
    }
    bench.reconciler.ready()
    bench.run(until: Self.second)
    for key in keys { bench.answer(key) }
    bench.note(bench.reconciler.release(keys[0]))
    bench.run(until: 2 * Self.second)
    #expect(bench.sent.suffix(2).map { $0.drop { $0 != " " } } == [" ubd+DU1", " sbd+DU1+2"])
    #expect(bench.sent.count == 5)
  }

  @Test func aRefusalConcernsOneSubscription() {
    var bench = Bench()
    let refused = bench.want(1)
    let other = bench.want(2)
    bench.reconciler.ready()
    bench.run(until: Self.second)
    bench.note(bench.reconciler.refused(refused.number, "no permission"))
    bench.answer(other)
    bench.run(until: 100 * Self.second)
    #expect(bench.sent.count == 2)
    #expect(bench.states.contains(#"1 failed("no permission")"#))
    #expect(bench.reconciler.farewell() == ["umd+1+{}", "umd+2+{}"])
  }
}
