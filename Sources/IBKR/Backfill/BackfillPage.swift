// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// One question about history: so many bars that end at some time.
///
/// A question may be answered by 1,000 bars at most, silently (protocol reference 6.5 and 7.4, number
/// 51), so long stretches take several. The oldest come first: what is left is one stretch at any time.
struct BackfillPage: Sendable, Hashable {
  /// How long a bar is.
  enum Step: Sendable, Hashable {
    case minute, hour

    /// In nanoseconds.
    var length: Int64 {
      switch self {
      case .minute: 60_000_000_000
      case .hour: 3_600_000_000_000
      }
    }

    /// How the server calls it.
    var bar: BarLength {
      switch self {
      case .minute: .oneMinute
      case .hour: .oneHour
      }
    }

    /// What one question may span: 480 or 720 bars.
    fileprivate var longestPage: Int64 {
      switch self {
      case .minute: 8 * 3_600_000_000_000
      case .hour: 30 * 86_400_000_000_000
      }
    }

    /// The step for a stretch of time: minutes up to a week.
    init(for range: Range<Int64>) {
      self = range.upperBound - range.lowerBound <= 7 * 86_400_000_000_000 ? .minute : .hour
    }

    /// The whole steps that a stretch of time touches.
    func aligned(_ range: Range<Int64>) -> Range<Int64> {
      let first = range.lowerBound / length * length
      let last = (range.upperBound + length - 1) / length * length
      return first..<max(last, first + length)
    }
  }

  /// The instrument.
  let conid: Int
  let exchange: String?
  let source: BarSource?
  let step: Step
  /// What is asked for: whole bars.
  let range: Range<Int64>

  /// The first question about a stretch of time.
  init(_ backfill: Backfill, _ rest: Range<Int64>, _ step: Step, source: BarSource?) {
    conid = backfill.conid
    exchange = backfill.exchange
    self.source = source
    self.step = step
    let aligned = step.aligned(rest)
    let end = min(aligned.upperBound, aligned.lowerBound + step.longestPage)
    range = aligned.lowerBound..<end
  }

  /// How many bars there are if there is one for each step.
  var barCount: Int { Int((range.upperBound - range.lowerBound) / step.length) }

  /// How far back from its end the question goes, in a unit that holds it (protocol reference 4.10).
  var period: String {
    let minutes = (range.upperBound - range.lowerBound + 59_999_999_999) / 60_000_000_000
    if step == .hour { return "\((minutes + 1_439) / 1_440)d" }
    return minutes <= 30 ? "\(minutes)min" : "\((minutes + 59) / 60)h"
  }

  /// The parameters of the question.
  ///
  /// `startTime` is the *end* of the bars (protocol reference 7.4, number 48).
  var query: [(name: String, value: String)] {
    var query = [
      (name: "conid", value: "\(conid)"), (name: "period", value: period),
      (name: "bar", value: step.bar.rawValue), (name: "outsideRth", value: "true"),
      (name: "startTime", value: Self.text(range.upperBound)),
    ]
    if let exchange { query.append((name: "exchange", value: exchange)) }
    if let source { query.append((name: "source", value: source.nameByREST)) }
    return query
  }

  /// A moment as history wants it: `20260817-13:30:00`, UTC.
  static func text(_ realtime: Int64) -> String {
    let text = UTCTime(realtime: realtime).description
    return text.prefix(10).filter { $0 != "-" } + "-" + text.dropFirst(11).prefix(8)
  }
}

extension BarSource {
  /// How REST spells it (protocol reference 6.5); the socket writes it small.
  var nameByREST: String {
    switch self {
    case .trades: "Trades"
    case .midpoint: "Midpoint"
    case .bidAsk: "Bid_Ask"
    case .bid: "Bid"
    case .ask: "Ask"
    }
  }
}
