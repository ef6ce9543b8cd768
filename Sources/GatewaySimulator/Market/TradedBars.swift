// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What the instruments of a market were traded at, by the minute: the bars of what was streamed.
///
/// It keeps some minutes of each; whoever asks for older bars gets those of the ``BarMaker``, as for
/// the time before anybody watched the instrument.
struct TradedBars: Sendable {
  /// Prices in units of the last digit, and shares.
  struct Bar: Sendable, Hashable {
    var open: Int64
    var high: Int64
    var low: Int64
    var close: Int64
    var volume: Int64 = 0

    init(at price: Int64) {
      (open, high, low, close) = (price, price, price, price)
    }

    /// The bar of two stretches of time, this one the earlier.
    mutating func append(_ later: Bar) {
      high = max(high, later.high)
      low = min(low, later.low)
      close = later.close
      volume += later.volume
    }
  }

  private struct Record: Sendable {
    /// In the order of their minutes since 1970.
    var bars: [(minute: Int64, bar: Bar)] = []
    var volume: Int64

    mutating func note(_ price: Int64, _ volume: Int64, _ minute: Int64, keeping limit: Int) {
      var now = Bar(at: price)
      now.volume = volume - self.volume
      self.volume = volume
      guard let last = bars.last else { return bars.append((minute, now)) }
      guard last.minute < minute else { return bars[bars.count - 1].bar.append(now) }
      // The price that the minute began with.
      var bar = Bar(at: last.bar.close)
      bar.append(now)
      bars.append((minute, bar))
      if bars.count >= limit { bars.removeFirst(max(1, limit / 16)) }
    }
  }

  /// How many minutes of each instrument are kept.
  private let limit: Int
  private var records: [Int: Record] = [:]

  /// Knows of no trades yet.
  ///
  /// - Parameter minutes: How many minutes of each instrument are kept.
  init(minutes: Int) {
    limit = max(2, minutes)
  }

  /// Notes what an instrument is traded at.
  ///
  /// - Parameters:
  ///   - feed: The instrument.
  ///   - milliseconds: The time, since 1970.
  mutating func note(_ feed: InstrumentFeed, at milliseconds: Int64) {
    // In its place, for this is done with every change of the market.
    records[feed.instrument.conid, default: Record(volume: feed.volume)]
      .note(feed.last, feed.volume, milliseconds / 60_000, keeping: limit)
  }

  /// The bar of some minutes.
  ///
  /// - Parameters:
  ///   - conid: The instrument.
  ///   - minutes: The minutes since 1970.
  /// - Returns: The bar; without trades, the price as it stood. Nil for what is not known.
  func bar(of conid: Int, in minutes: Range<Int64>) -> Bar? {
    guard let bars = records[conid]?.bars, let first = bars.first, minutes.upperBound > first.minute
    else { return nil }
    // Binary: a page of bars asks a thousand times.
    var (low, high) = (0, bars.count)
    while low < high {
      let middle = (low + high) / 2
      if bars[middle].minute < minutes.lowerBound { low = middle + 1 } else { high = middle }
    }
    var found = low > 0 ? Bar(at: bars[low - 1].bar.close) : nil
    while low < bars.count, bars[low].minute < minutes.upperBound {
      if found?.append(bars[low].bar) == nil { found = bars[low].bar }
      low += 1
    }
    return found
  }
}
