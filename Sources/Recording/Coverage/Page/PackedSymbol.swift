// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// An instrument's buckets and gaps as the page's script reads them.
struct PackedSymbol {
  /// How many digits behind the point the prices have.
  let places: Int
  /// Each bucket with messages: how many empty ones are before it; twice the messages, and one more
  /// if it has prices; of these, in units of the last place, how much the last has grown, how far the
  /// highest is above it and the lowest below.
  let buckets: [UInt8]
  /// Each gap: milliseconds since the one before or the beginning, its milliseconds, its reason.
  let gaps: [UInt8]

  /// More gaps than this, those nearest to each other are drawn as one.
  static let gapLimit = 3_000

  /// Packs an instrument.
  ///
  /// - Parameters:
  ///   - symbol: The instrument.
  ///   - start: When the picture begins, in nanoseconds since 1970.
  ///   - width: How long a bucket is.
  ///   - reasons: The place of each reason in the page's list.
  init(_ symbol: SymbolCoverage, start: Int64, width: Int64, reasons: [String: Int]) {
    let prices = symbol.buckets.compactMap(\.prices)
    let places = Self.places(of: prices)
    var packed = PackedNumbers()
    var (expected, before): (Int64, Int64) = (0, 0)
    for bucket in symbol.buckets {
      let index = (bucket.start - start) / width
      packed.append(index - expected)
      expected = index + 1
      packed.append(Int64(bucket.messages) * 2 + (bucket.prices == nil ? 0 : 1))
      guard let prices = bucket.prices else { continue }
      let last = Self.units(prices.last, places)
      packed.append(signed: last - before)
      packed.append(Self.units(prices.high, places) - last)
      packed.append(last - Self.units(prices.low, places))
      before = last
    }
    self.places = places
    buckets = packed.text
    gaps = Self.pack(Self.drawn(symbol.missing, width: width), start: start, reasons: reasons)
  }

  private static func pack(
    _ spans: [MissingSpan],
    start: Int64,
    reasons: [String: Int]
  ) -> [UInt8] {
    var packed = PackedNumbers()
    var before = start
    for span in spans {
      packed.append((span.start - before) / 1_000_000)
      packed.append((span.end - span.start) / 1_000_000)
      packed.append(Int64(reasons[span.reason.rawValue] ?? 0))
      // As the reader counts, so that what is cut off does not add up.
      before += (span.start - before) / 1_000_000 * 1_000_000
      before += (span.end - span.start) / 1_000_000 * 1_000_000
    }
    return packed.text
  }

  /// The gaps as they are drawn: few enough, however many there are.
  private static func drawn(_ spans: [MissingSpan], width: Int64) -> [MissingSpan] {
    var (spans, distance) = (spans, width / 2)
    while spans.count > gapLimit {
      var merged: [MissingSpan] = []
      for span in spans {
        if let last = merged.last, span.start - last.end <= distance {
          merged[merged.count - 1].end = span.end
        } else {
          merged.append(span)
        }
      }
      (spans, distance) = (merged, distance * 2)
    }
    return spans
  }

  /// Enough for every price, and as few as keep all of them below what a script counts exactly.
  private static func places(of prices: [CoveragePrices]) -> Int {
    let all = prices.flatMap { [$0.low, $0.high, $0.last] }
    var places = min(9, max(0, all.map { -$0.exponent }.max() ?? 0))
    while places > 0, all.contains(where: { abs(units($0, places)) >= 1 << 50 }) { places -= 1 }
    return places
  }

  private static func units(_ price: Decimal, _ places: Int) -> Int64 {
    let limit = Int128(1) << 50
    var (units, exponent) = (price.mantissa, price.exponent + places)
    while exponent > 0, abs(units) < limit, units != 0 {
      (units, exponent) = (units * 10, exponent - 1)
    }
    while exponent < 0, units != 0 { (units, exponent) = (units / 10, exponent + 1) }
    return Int64(clamping: min(max(units, -limit), limit))
  }
}
