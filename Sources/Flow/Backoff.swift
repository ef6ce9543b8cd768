// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How long to wait before the next attempt: growing, jittered, with a ceiling.
///
/// "Decorrelated jitter": each delay is drawn between the base and three times the delay before
/// it, so that clients cut off at the same moment do not come back at the same moment, and one
/// that keeps failing backs off about as fast as by doubling. A value: no clock, no sleeping, and
/// the randomness comes from the caller.
package struct Backoff: Sendable {
  /// The shortest delay, and the scale of the first ones.
  package let base: Duration

  /// The longest delay.
  package let ceiling: Duration

  private var previous: Int64

  /// Makes a back-off that has not waited yet.
  ///
  /// - Parameters:
  ///   - base: The shortest delay; taken as at least one nanosecond.
  ///   - ceiling: The longest delay; taken as at least the base.
  package init(base: Duration, ceiling: Duration) {
    self.base = max(base, .nanoseconds(1))
    self.ceiling = max(ceiling, self.base)
    previous = self.base.nanoseconds
  }

  /// The delay before the next attempt.
  ///
  /// - Parameter generator: The source of randomness.
  /// - Returns: A delay between the base and the ceiling.
  package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
    let lowest = base.nanoseconds
    let (tripled, overflow) = previous.multipliedReportingOverflow(by: 3)
    let highest = min(overflow ? .max : tripled, ceiling.nanoseconds)
    previous = Int64.random(in: lowest...max(lowest, highest), using: &generator)
    return .nanoseconds(previous)
  }

  /// Starts again from the base, after an attempt that has proved to hold.
  package mutating func reset() {
    previous = base.nanoseconds
  }
}
