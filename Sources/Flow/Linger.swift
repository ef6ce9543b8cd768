// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Whether a consumer that finds its queue empty should look again before it suspends.
///
/// Waking a thread costs the producer several microseconds, which is longer than the next element
/// of a quick producer takes to come: the two then run in lockstep, one wake an element. Looking
/// again breaks that. It is of no use to a slow producer's consumer, so every look in vain makes the
/// next ones rarer, and one that found something makes them common again.
package struct Linger: Sendable {
  /// At the slowest, every so many waits are preceded by a look.
  package static let rarest = 64

  private var interval = 1
  private var waits = 0

  /// Creates a consumer's habit, which begins with looking.
  package init() {}

  /// Whether to look again before this wait.
  package mutating func shouldLook() -> Bool {
    waits += 1
    return waits >= interval
  }

  /// Learns from a look.
  ///
  /// - Parameter wasUseful: Whether something had come.
  package mutating func looked(wasUseful: Bool) {
    waits = 0
    interval = wasUseful ? 1 : min(Self.rarest, interval * 2)
  }
}
