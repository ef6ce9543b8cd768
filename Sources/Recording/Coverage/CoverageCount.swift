// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// Counts quotes by instrument and bucket of time, in bounded memory.
final class CoverageCount {
  /// What became of a line.
  enum Verdict {
    /// It counts; when it was received.
    case counted(Int64)
    case isOutside
    /// It is of an instrument that is not wanted.
    case isForeign
    case isNoQuote
  }

  /// The raster.
  private(set) var grid = TimeGrid()

  private let excerpt: Excerpt
  private var instruments: [InstrumentCount] = []
  private var places: [[UInt8]: Int] = [:]
  /// The instrument of the last row, which is most often that of the next as well.
  private var latest: (name: [UInt8], place: Int)?

  /// A bucket has a hundred bytes, so this many of all instruments together need some 15 MB.
  private static let bucketLimit = 150_000

  /// The most buckets of one instrument: a day of minutes, and the ends of the days beside it.
  private static let longest = 1_500

  init(_ excerpt: Excerpt) {
    self.excerpt = excerpt
  }

  /// Counts a line.
  ///
  /// - Parameter bytes: A line of `ch=quote`.
  /// - Returns: What became of it.
  func add(_ bytes: UnsafeRawBufferPointer) -> Verdict {
    guard let line = CoverageLine(bytes) else { return .isNoQuote }
    guard excerpt.conids.isEmpty || excerpt.conids.contains(line.conid) else { return .isForeign }
    guard excerpt.covers(line.realtime) else { return .isOutside }
    guard let place = place(of: line.symbol) else { return .isNoQuote }
    if grid.range?.contains(line.realtime) != true { include(line.realtime) }
    instruments[place].add(line, at: grid)
    return .counted(line.realtime)
  }

  /// Makes room for a moment: buckets may become wider.
  func include(_ time: Int64) {
    grid.include(time)
    widen()
  }

  /// What was counted, by name.
  var symbols: [SymbolCoverage] {
    instruments.map { $0.coverage(at: grid) }.sorted { $0.symbol < $1.symbol }
  }

  private func widen() {
    let share = max(60, Self.bucketLimit / max(1, instruments.count))
    let factor = grid.widen(toAtMost: min(Self.longest, share))
    guard factor > 1 else { return }
    for index in instruments.indices { instruments[index].widen(by: factor) }
  }

  private func place(of symbol: UnsafeRawBufferPointer) -> Int? {
    if let latest, latest.name.elementsEqual(symbol) { return latest.place }
    let name = Array(symbol)
    let place = places[name] ?? instruments.count
    if place == instruments.count {
      // As it stands in the line, so its escapes are to be undone.
      guard let text = JSONString.text(symbol) else { return nil }
      places[name] = place
      instruments.append(InstrumentCount(coverage: SymbolCoverage(symbol: text)))
      widen()
    }
    latest = (name, place)
    return place
  }
}

extension Excerpt {
  /// Whether a moment belongs to it.
  func covers(_ time: Int64) -> Bool { time >= from ?? .min && time < to ?? .max }

  /// The nearest moment that belongs to it.
  func nearest(to time: Int64) -> Int64 {
    // No moment is before the first that there is.
    let last = to.map { max($0, .min + 1) - 1 } ?? .max
    return max(from ?? .min, min(time, last))
  }
}

/// Counts the quotes of one instrument.
private struct InstrumentCount {
  /// All but the buckets.
  var coverage: SymbolCoverage
  private var buckets: [Int64: CoverageBucket] = [:]
  /// The bucket of the last row, which is most often that of the next as well.
  private var current: (index: Int64, bucket: CoverageBucket)?
  /// The last price, as it stood in the line.
  private var price: (text: [UInt8], value: Decimal)?

  init(coverage: SymbolCoverage) {
    self.coverage = coverage
  }

  mutating func add(_ line: CoverageLine, at grid: TimeGrid) {
    coverage.messages += 1
    coverage.received = LineSheet.extended(coverage.received, to: TimeGrid.clamped(line.realtime))
    if line.isImage {
      coverage.images += 1
    } else if let event = line.event {
      let (latency, overflow) = line.realtime.subtractingReportingOverflow(event)
      if !overflow { coverage.latency.add(latency) }
    }
    let index = grid.index(of: line.realtime)
    if current?.index != index {
      keepCurrent()
      current = (index, CoverageBucket(start: 0))
    }
    current?.bucket.messages += 1
    guard let text = line.last else { return }
    // A price is most often that of the row before.
    let isNew = price.map { !$0.text.elementsEqual(text) } ?? true
    if isNew {
      guard let value = Decimal(text) else { return }
      price = (Array(text), value)
    }
    guard let value = price?.value, isNew || current?.bucket.prices == nil else { return }
    current?.bucket.prices.include(CoveragePrices(low: value, high: value, last: value))
  }

  mutating func widen(by factor: Int64) {
    keepCurrent()
    let before = buckets.sorted { $0.key < $1.key }
    buckets.removeAll(keepingCapacity: true)
    for (index, bucket) in before { keep(bucket, at: index / factor) }
  }

  func coverage(at grid: TimeGrid) -> SymbolCoverage {
    var whole = self
    whole.keepCurrent()
    var coverage = coverage
    coverage.buckets = whole.buckets.sorted { $0.key < $1.key }.map { index, bucket in
      CoverageBucket(
        start: index * grid.width,
        messages: bucket.messages,
        prices: bucket.prices
      )
    }
    return coverage
  }

  private mutating func keepCurrent() {
    if let current { keep(current.bucket, at: current.index) }
    current = nil
  }

  private mutating func keep(_ bucket: CoverageBucket, at index: Int64) {
    if buckets[index] == nil { buckets[index] = bucket } else { buckets[index]?.merge(bucket) }
  }
}
