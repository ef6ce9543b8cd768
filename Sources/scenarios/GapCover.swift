// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR
import JSON

/// The stretches of time without data that a client has declared, subscription by subscription.
struct GapCover: Sendable {
  private struct Stretch: Sendable {
    let gap: Int
    let key: SubscriptionKey
    let start: Int64
    /// nil while it lasts; one that was abandoned lasts to the end.
    var end: Int64?
  }

  private var stretches: [Stretch] = []
  private var keys: Set<SubscriptionKey> = []

  /// Notes a gap, or a subscription; other events say nothing here.
  mutating func add(_ event: Event) {
    switch event {
    case .subscription(let key, _, _): keys.insert(key)
    // An overflow is a slow subscriber's; nothing is missing on the way to the others.
    case .gap(let gap) where gap.reason != .overflow:
      if gap.phase == .began {
        stretches += gap.subscriptions.map { key in
          Stretch(gap: gap.id, key: key, start: gap.start.monotonic)
        }
      } else if let end = gap.end?.monotonic {
        for index in stretches.indices
        where stretches[index].gap == gap.id && stretches[index].end == nil
          && gap.subscriptions.contains(stretches[index].key)
        {
          stretches[index].end = end
        }
      }
    default: break
    }
  }

  /// Forgets the gaps that have ended.
  mutating func forget() {
    stretches.removeAll { $0.end != nil }
  }

  /// Whether a message that never came lies in a gap of the subscription that it is for; one that is
  /// for none lies in any.
  func covers(_ frame: SentFrame, tolerance: Int64) -> Bool {
    let concerned = concerned(by: frame)
    return stretches.contains { stretch in
      (concerned.isEmpty || concerned.contains(stretch.key))
        && stretch.start - tolerance <= frame.monotonic
        && frame.monotonic <= (stretch.end ?? .max - tolerance) + tolerance
    }
  }

  private func concerned(by frame: SentFrame) -> Set<SubscriptionKey> {
    guard let message = try? JSONValue(parsing: frame.bytes),
      let words = message["topic"]?.string?.split(separator: "+", maxSplits: 1)
    else { return [] }
    let target = message["conidEx"]?.string ?? words.dropFirst().first.map(String.init) ?? ""
    return keys.filter { $0.topic.rawValue == words[0] && $0.target == target }
  }
}
