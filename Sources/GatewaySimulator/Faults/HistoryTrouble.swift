// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What is wrong with `iserver/marketdata/history` for a while (protocol reference 6.5 and 7.4).
public enum HistoryTrouble: String, Sendable, Hashable, CaseIterable {
  /// The first question about each instrument is answered 500; the second one is answered.
  case cold
  /// Every question is answered 200 with an error in it.
  case refused
  /// Every question is answered 500, because there is no data.
  case noData = "no-data"
  /// Every answer has no bars.
  case empty
  /// No question is answered.
  case unanswered
  /// Every answer lacks the newer half of its bars.
  case half
  /// Every question is answered 429, while all others are answered as usual.
  case tooMany = "too-many"
  /// Every answer ends in the middle of its JSON.
  case broken
  /// The data is delayed by a quarter of an hour.
  case delayed
}

extension Troubles {
  /// What is wrong with history at a time.
  func history(at time: Int64) -> HistoryTrouble? { time < historyUntil ? historyTrouble : nil }
}
