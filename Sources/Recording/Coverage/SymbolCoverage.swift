// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import IBKR
public import JSON

/// What a recording holds of one instrument, over time.
public struct SymbolCoverage: Sendable, Hashable {
  /// The name of the instrument's records.
  public let symbol: String
  /// How many messages there are: rows of `ch=quote`.
  public internal(set) var messages = 0
  /// How many of them are images, which are no events of the market.
  public internal(set) var images = 0
  /// The earliest and the latest `ts_recv`.
  public internal(set) var received: ClosedRange<Int64>?
  /// How long the messages were under way; images are not counted, because theirs is the time of the
  /// market's last event.
  public internal(set) var latency = LatencyHistogram()
  /// The buckets that have messages, in their order.
  public internal(set) var buckets: [CoverageBucket] = []
  /// How many gaps name the instrument.
  public internal(set) var gaps = 0
  /// When data may be missing: apart from each other and in their order.
  public internal(set) var missing: [MissingSpan] = []

  init(symbol: String) {
    self.symbol = symbol
  }

  /// From the first to the last that is known of the instrument.
  public var range: ClosedRange<Int64>? {
    var range = received
    for span in missing {
      range = LineSheet.extended(range, to: span.start)
      range = LineSheet.extended(range, to: span.end)
    }
    return range
  }

  /// How long data may be missing, in nanoseconds.
  public var missingNanoseconds: Int64 { missing.reduce(0) { $0 + ($1.end - $1.start) } }

  /// Which part of the time that is known of the instrument has no gap; nil without any time.
  public var share: Double? {
    guard let range, range.upperBound > range.lowerBound else { return nil }
    return 1 - Double(missingNanoseconds) / Double(range.upperBound - range.lowerBound)
  }

  /// The lowest, the highest and the last price.
  public var prices: (low: Decimal, high: Decimal, last: Decimal)? {
    var found: CoveragePrices?
    for bucket in buckets { found.include(bucket.prices) }
    return found.map { ($0.low, $0.high, $0.last) }
  }
}

/// What came of one instrument in one bucket of time.
public struct CoverageBucket: Sendable, Hashable {
  /// When it begins, in nanoseconds since 1970.
  public internal(set) var start: Int64
  /// How many messages.
  public internal(set) var messages = 0
  /// The prices; nil if there are none.
  public internal(set) var prices: CoveragePrices?

  /// Adds what came later.
  mutating func merge(_ later: CoverageBucket) {
    messages += later.messages
    prices.include(later.prices)
  }
}

/// The last prices that a bucket of time has seen.
public struct CoveragePrices: Sendable, Hashable {
  /// The lowest.
  public internal(set) var low: Decimal
  /// The highest.
  public internal(set) var high: Decimal
  /// The last.
  public internal(set) var last: Decimal
}

extension CoveragePrices? {
  /// Adds what came later.
  mutating func include(_ later: CoveragePrices?) {
    guard let later else { return }
    guard let known = self else {
      self = later
      return
    }
    self = CoveragePrices(
      low: later.low < known.low ? later.low : known.low,
      high: known.high < later.high ? later.high : known.high,
      last: later.last
    )
  }
}

/// A stretch of time in which data of one instrument may be missing.
public struct MissingSpan: Sendable, Hashable {
  /// The last proof of life before it, in nanoseconds since 1970.
  public internal(set) var start: Int64
  /// When data came again, or the run ended.
  public internal(set) var end: Int64
  /// Why.
  public internal(set) var reason: GapReason

  /// Sorts spans and cuts from each what an earlier one covers already.
  static func apart(_ spans: [MissingSpan]) -> [MissingSpan] {
    var found: [MissingSpan] = []
    for var span in spans.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
      if let last = found.last {
        if span.end <= last.end { continue }
        span.start = max(span.start, last.end)
      }
      found.append(span)
    }
    return found
  }
}
