// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

@Suite struct GapTrackerTests {
  private let apple = SubscriptionKey(topic: .marketData, target: "1", conid: 1, number: 1)
  private let other = SubscriptionKey(topic: .marketData, target: "2", conid: 2, number: 2)

  private func moment(_ seconds: Int64) -> Gap.Moment {
    Gap.Moment(realtime: seconds * 1_000_000_000, monotonic: seconds * 1_000_000_000)
  }

  private func begin(
    _ tracker: inout GapTracker,
    _ keys: [SubscriptionKey],
    at seconds: Int64
  ) -> Gap? {
    tracker.begin(
      .disconnect,
      detectedBy: "end of stream",
      start: moment(seconds),
      after: 10,
      subscriptions: keys
    )
  }

  @Test func oneGapPerOutageThatEndsWithTheLastImage() throws {
    var tracker = GapTracker()
    let began = try #require(begin(&tracker, [apple, other], at: 1))
    #expect(began.phase == .began && began.id == 1)
    // The second failure of the same outage tells nothing new.
    let again = begin(&tracker, [apple, other], at: 2)
    #expect(again == nil)
    let first = tracker.recovered(apple, at: moment(5), seq: 50)
    #expect(first == nil)
    let told = tracker.recovered(other, at: moment(6), seq: 60)
    let ended = try #require(told)
    #expect(ended.phase == .ended && ended.id == 1)
    #expect(ended.start == moment(1) && ended.end == moment(6))
    #expect(ended.conids == [1, 2])
    #expect(ended.seqFirst == 10 && ended.seqLast == 60)
    let late = tracker.recovered(other, at: moment(7), seq: 70)
    #expect(late == nil)
    let rest = tracker.abandon()
    #expect(rest.isEmpty)
  }

  @Test func whoTakesLongDoesNotHoldUpTheOthers() {
    var tracker = GapTracker()
    _ = begin(&tracker, [apple, other], at: 1)
    _ = tracker.recovered(apple, at: moment(5), seq: 50)
    #expect(tracker.deadline == 35_000_000_000)
    let early = tracker.expire(at: 34_000_000_000)
    #expect(early.isEmpty)
    let ended = tracker.expire(at: 35_000_000_000)
    #expect(ended.map(\.conids) == [[1]])
    #expect(tracker.deadline == nil)
    #expect(!tracker.isOpen(for: apple) && tracker.isOpen(for: other))
    let last = tracker.recovered(other, at: moment(90), seq: 90)
    #expect(last?.conids == [2] && last?.id == 1)
  }

  @Test func aSecondLossConcernsThoseWhoHadRecovered() {
    var tracker = GapTracker()
    _ = begin(&tracker, [apple, other], at: 1)
    _ = tracker.recovered(apple, at: moment(5), seq: 50)
    let second = begin(&tracker, [apple, other], at: 6)
    #expect(second?.id == 2 && second?.conids == [1])
    let abandoned = tracker.abandon()
    #expect(
      abandoned.map { "\($0.id) \($0.phase) \($0.conids)" }
        == ["2 abandoned [1]", "1 ended [1]", "1 abandoned [2]"]
    )
  }

  @Test func whatIsNotWantedIsNotMissing() {
    var tracker = GapTracker()
    _ = begin(&tracker, [apple, other], at: 1)
    _ = tracker.recovered(apple, at: moment(5), seq: 50)
    let ended = tracker.removed(other)
    #expect(ended?.conids == [1])
    let empty = begin(&tracker, [], at: 9)
    #expect(empty == nil)
  }
}
