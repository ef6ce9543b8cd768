// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Something that must have come of a trial, and how to see whether it has.
struct Expectation: Sendable {
  /// What is expected, in a few words.
  let words: String
  /// What was seen instead, or all the same.
  let seen: @Sendable (Report) -> String
  /// Whether it has come about.
  let holds: @Sendable (Report) -> Bool

  /// A number that must lie in a range.
  static func number(
    _ words: String,
    _ range: ClosedRange<Int>,
    _ value: @escaping @Sendable (Report) -> Int
  ) -> Expectation {
    let bounds =
      range.lowerBound == range.upperBound
      ? "\(range.lowerBound)"
      : range.upperBound == .max
        ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
    return Expectation(
      words: "\(words): \(bounds)",
      seen: { "\(words): \(value($0))" },
      holds: { range.contains(value($0)) }
    )
  }

  /// How many connections there are in all.
  static func connections(_ range: ClosedRange<Int>) -> Expectation {
    number("connections", range) { $0.notes.greetings }
  }

  /// How many messages of a topic come.
  static func messages(_ topic: Topic, _ range: ClosedRange<Int>) -> Expectation {
    number("messages of \(topic.rawValue)", range) { $0.notes.topics[topic, default: 0] }
  }

  /// How often a command is sent.
  static func commands(_ verb: String, _ range: ClosedRange<Int>) -> Expectation {
    number("commands \(verb)", range) { $0.notes.commands[verb, default: 0] }
  }

  /// In how many words that a connection was lost something stands.
  static func losses(_ text: String, _ range: ClosedRange<Int>) -> Expectation {
    number("losses told as '\(text)'", range) { report in
      report.notes.losses.count { $0.contains(text) }
    }
  }

  /// A state that a subscription must go through, told by a word of it.
  static func state(_ word: String, of feed: String) -> Expectation {
    Expectation(
      words: "\(feed) is \(word)",
      seen: { "\(feed): \(Set(($0.notes.states[feed] ?? []).map(name)).sorted())" },
      holds: { report in (report.notes.states[feed] ?? []).contains { name($0) == word } }
    )
  }

  private static func name(_ state: SubscriptionState) -> String {
    switch state {
    case .pending: "pending"
    case .requested: "requested"
    case .active: "active"
    case .renewing: "renewing"
    case .stale: "stale"
    case .failed: "failed"
    case .ended: "ended"
    }
  }
}
