// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Testing

struct BackoffTests {
  /// A generator whose every draw is the same bits.
  private struct Constant: RandomNumberGenerator {
    let bits: UInt64
    func next() -> UInt64 { bits }
  }

  @Test func `Each delay is at most three times the one before, and within the bounds`() {
    var generator = SystemRandomNumberGenerator()
    var backoff = Backoff(base: .seconds(1), ceiling: .seconds(60))
    var previous = Duration.seconds(1)
    for _ in 0..<1_000 {
      let delay = backoff.next(using: &generator)
      #expect(delay >= .seconds(1))
      #expect(delay <= min(previous * 3, .seconds(60)))
      previous = delay
    }
  }

  @Test func `The highest draws triple up to the ceiling and stay there`() {
    var generator = Constant(bits: .max)
    var backoff = Backoff(base: .seconds(1), ceiling: .seconds(20))
    let seconds = (0..<5).map { _ in backoff.next(using: &generator) / .seconds(1) }
    #expect(seconds == [3, 9, 20, 20, 20])
  }

  @Test func `The lowest draws stay at the base`() {
    // Not all zero bits: `Int64.random(in:using:)` rejects that draw and asks again, for ever.
    var generator = Constant(bits: 1 << 32)
    var backoff = Backoff(base: .milliseconds(250), ceiling: .seconds(20))
    for _ in 0..<5 { #expect(backoff.next(using: &generator) == .milliseconds(250)) }
  }

  @Test func `A reset starts again`() {
    var generator = Constant(bits: .max)
    var backoff = Backoff(base: .seconds(1), ceiling: .seconds(20))
    for _ in 0..<4 { _ = backoff.next(using: &generator) }
    backoff.reset()
    #expect(backoff.next(using: &generator) == .seconds(3))
  }

  @Test(arguments: [
    (Duration.zero, Duration.zero), (.seconds(-1), .seconds(1)), (.seconds(5), .seconds(1)),
    (.seconds(Int64.max), .seconds(Int64.max)),
  ])
  func `Senseless bounds give a delay all the same`(base: Duration, ceiling: Duration) {
    var generator = SystemRandomNumberGenerator()
    var backoff = Backoff(base: base, ceiling: ceiling)
    for _ in 0..<10 { #expect(backoff.next(using: &generator) > .zero) }
  }
}
