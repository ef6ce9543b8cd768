// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// What an answer about history says of itself, and what it is worth.
struct BackfillAnswer: Sendable, Hashable {
  /// When each bar begins, in nanoseconds since 1970, in their order and each once.
  let times: [Int64]
  /// How long a bar is by the answer, in nanoseconds; nil if it does not say.
  let length: Int64?
  /// By how much the data is delayed, in nanoseconds.
  let delay: Int64

  /// What becomes of a page.
  enum Verdict: Sendable, Hashable {
    /// It has its answer; so many bars are in it.
    case final(bars: Int)
    /// The bars from here on will come later: after so many nanoseconds it is worth asking again.
    case early(from: Int64, bars: Int, after: Int64, reason: String)
    /// There is nothing in it at all, which a first answer may be.
    case empty
  }

  /// Delayed data without a figure is this late, by what is known of it (protocol reference 5.3).
  private static let usualDelay: Int64 = 1_200_000_000_000
  /// How long the newest bars may take to be there, and after what time it is looked again.
  private static let lag: Int64 = 300_000_000_000
  private static let lookAgain: Int64 = 60_000_000_000

  init(times: [Int64], length: Int64? = nil, delay: Int64 = 0) {
    self.times = Set(times).sorted()
    self.length = length
    self.delay = delay
  }

  /// Reads an answer.
  ///
  /// - Parameter value: The answer (protocol reference 6.5).
  init(_ value: JSONValue) {
    let bars = Message.rows(value["data"]) ?? []
    let said = value["mktDataDelay"]?.int.map { Int64(clamping: $0) } ?? 0
    let letter = value["mdAvailability"]?.string?.first
    let isDelayed = letter == "D" || letter == "Y"
    self.init(
      times: bars.compactMap { History.Bar(row: $0, volumeFactor: 1).time },
      length: value["barLength"]?.int.flatMap { (1...31_536_000).contains($0) ? $0 : nil }
        .map { Int64($0) * 1_000_000_000 },
      delay: said > 0 ? min(said, 86_400) * 1_000_000_000 : isDelayed ? Self.usualDelay : 0
    )
  }

  /// Judges the answer to a page.
  ///
  /// - Parameters:
  ///   - page: The page.
  ///   - realtime: The time now, in nanoseconds since 1970.
  ///   - mayWait: Whether bars that should be there are waited for.
  /// - Returns: What becomes of the page.
  func verdict(on page: BackfillPage, at realtime: Int64, mayWait: Bool) -> Verdict {
    let inside = times.filter { page.range.contains($0) }
    let length = length ?? page.step.length
    // Bars from before the page say that there was none later on, if they are not late.
    let end = max(page.range.lowerBound, inside.last.map { $0 + length } ?? 0)
    let isAtEnd = (times.last ?? 0) >= page.range.upperBound
    guard end < page.range.upperBound, !isAtEnd else { return .final(bars: inside.count) }
    let isThere = page.range.upperBound + delay + Self.lookAgain
    if delay > 0, realtime < isThere {
      return .early(
        from: end,
        bars: inside.count,
        after: isThere - realtime,
        reason: "the data is delayed by \(delay / 1_000_000_000) s"
      )
    }
    if times.isEmpty { return .empty }
    if mayWait, realtime < page.range.upperBound + Self.lag {
      return .early(
        from: end,
        bars: inside.count,
        after: Self.lookAgain,
        reason: "the newest bars are not there yet"
      )
    }
    return .final(bars: inside.count)
  }
}
