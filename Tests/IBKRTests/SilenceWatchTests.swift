// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

@Suite struct SilenceWatchTests {
  static let second: Int64 = 1_000_000_000

  /// Subscription 1 with a message every so many seconds up to some time, looked at every 5 s.
  ///
  /// - Returns: The times in seconds at which it became suspect.
  private static func suspicions(
    every distance: Int64,
    until silent: Int64,
    observedFor length: Int64,
    isExpected: (Int64) -> Bool = { _ in true },
    isProvedQuiet: Bool = false
  ) -> [Int64] {
    var watch = SilenceWatch()
    watch.begin(1, messages: 0, at: 0)
    var found: [Int64] = []
    for time in stride(from: 5, through: length, by: 5) {
      let messages = UInt64(min(time, silent) / distance)
      let suspects = watch.look(
        at: time * second,
        messages: { _ in messages },
        isExpected: { _ in isExpected(time) }
      )
      guard !suspects.isEmpty else { continue }
      found.append(time)
      if isProvedQuiet { watch.provedQuiet(1, messages: messages, at: time * second) }
    }
    return found
  }

  @Test(
    arguments: [
      // Twice a second, then nothing: the shortest limit counts.
      (1, 100, 130), (2, 100, 140), (5, 100, 200),
      // Once a minute: twenty times that is above the longest limit.
      (60, 600, 1110),
    ] as [(Int64, Int64, Int64)]
  )
  func silenceIsJudgedAgainstTheOwnRate(_ distance: Int64, _ silent: Int64, _ expected: Int64) {
    let found = Self.suspicions(every: distance, until: silent, observedFor: 2_000)
    // The rate is seen through windows of five seconds, so it is known to about a tenth.
    #expect(found.count == 1)
    #expect(found.allSatisfy { (expected...expected + 10).contains($0) })
  }

  @Test func aFeedThatGoesOnIsNeverSuspect() {
    for distance: Int64 in [1, 3, 10, 60, 300] {
      #expect(Self.suspicions(every: distance, until: .max, observedFor: 7_200).isEmpty)
    }
  }

  @Test func theFirstMessageIsWaitedForLongest() {
    #expect(Self.suspicions(every: 1, until: 0, observedFor: 1_000) == [510])
  }

  @Test func quietInstrumentsAreAskedLessAndLess() {
    let found = Self.suspicions(every: 1, until: 100, observedFor: 3_000, isProvedQuiet: true)
    let distances = zip(found, found.dropFirst()).map { $1 - $0 }
    #expect(found.first == 130)
    #expect(distances.starts(with: [60, 120, 240, 480, 510]))
  }

  @Test func silenceOutsideOfTradingHoursDoesNotCount() {
    let found = Self.suspicions(every: 1, until: 100, observedFor: 2_000) { time in
      time < 100 || time >= 1_000
    }
    #expect(found == [1_025])
  }

  @Test func subscriptionsAreJudgedApart() {
    var watch = SilenceWatch()
    for number: UInt32 in 1...3 { watch.begin(number, messages: 0, at: 0) }
    watch.end(3)
    var found: [UInt32] = []
    for time in stride(from: Int64(5), through: 200, by: 5) {
      // Number 1 goes on, number 2 ends after 50 s, and nobody watches number 3.
      found += watch.look(at: time * Self.second) { number in
        number == 1 ? UInt64(time) : UInt64(min(time, 50))
      }.map(\.number)
    }
    #expect(found == [2])
  }

  @Test func whoIsHeardAgainStartsAnew() {
    var watch = SilenceWatch()
    watch.begin(1, messages: 0, at: 0)
    var count: UInt64 = 0
    var found: [Int64] = []
    for time in stride(from: Int64(5), through: 400, by: 5) {
      if time <= 100 || (200...300).contains(time) { count += 5 }
      if !watch.look(at: time * Self.second, messages: { _ in count }).isEmpty {
        found.append(time)
      }
    }
    #expect(found.count == 2)
    #expect(found.first == 130)
  }

  @Test func hugeCountsAndDistancesDoNotOverflow() {
    var watch = SilenceWatch()
    watch.begin(1, messages: .max, at: .min / 2)
    #expect(watch.look(at: .max / 2 - 1) { _ in .max }.map(\.number) == [1])
    #expect(watch.look(at: .max / 2) { _ in .max - 1 }.isEmpty)
  }
}
