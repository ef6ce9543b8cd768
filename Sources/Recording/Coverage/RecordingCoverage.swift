// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// What was recorded when: messages, prices and gaps of each instrument over time.
///
/// It is made in one pass over `ch=quote` and `ch=gap`, in memory that does not depend on how much
/// there is: time is cut into buckets of a second, or as much wider as it takes to have 1,500 of an
/// instrument at most, and 150,000 of all together. A day is shown by the minute.
public struct RecordingCoverage: Sendable {
  /// A run of the recorder.
  public struct Run: Sendable, Hashable {
    /// How a run ended.
    public enum State: String, Sendable, Hashable {
      /// Well: everything is on disk.
      case ended
      /// It stopped in the middle, and the next start has finished its parts.
      case crashed
      /// It goes on, or has crashed and nobody has finished its parts yet.
      case unfinished
    }

    /// Its name.
    public let id: String
    /// When it began, in nanoseconds since 1970.
    public let start: Int64
    /// When it ended, or when its last row came if it has not told; nil if there is none.
    public let end: Int64?
    /// How it ended.
    public let state: State
  }

  /// A gap of the recording, and what has been done about it.
  public struct Gap: Sendable, Hashable {
    /// As it was recorded.
    public let recorded: RecordedGap
    /// When it ended, or else its run did, in nanoseconds since 1970.
    public let end: Int64
    /// How many bars have been fetched to fill it.
    public let bars: Int
  }

  /// From when to when there is anything, in nanoseconds since 1970; nil if there is nothing.
  public internal(set) var range: ClosedRange<Int64>?
  /// How long a bucket is, in nanoseconds.
  public internal(set) var bucketNanoseconds: Int64 = 0
  /// The runs, in the order in which they were made.
  public internal(set) var runs: [Run] = []
  /// The gaps, in the order in which they began.
  public internal(set) var gaps: [Gap] = []
  /// The instruments, by name.
  public internal(set) var symbols: [SymbolCoverage] = []
  /// How long the messages of all instruments were under way.
  public internal(set) var latency = LatencyHistogram()

  /// How many messages there are.
  public var messages: Int { symbols.reduce(0) { $0 + $1.messages } }

  /// How long data may be missing, of all instruments together, in nanoseconds.
  ///
  /// It ends at 292 years: that much of a thousand instruments is a season.
  public var missingNanoseconds: Int64 {
    symbols.reduce(0) { sum, symbol in
      let (sum, overflow) = sum.addingReportingOverflow(symbol.missingNanoseconds)
      return overflow ? .max : sum
    }
  }

  /// Which part of the time that instruments were recorded for has no gap; nil without any time.
  public var share: Double? {
    // As floating point, because thousands of instruments times years do not fit into 64 bits.
    let time = symbols.reduce(0.0) { sum, symbol in
      sum + (symbol.range.map { Double($0.upperBound - $0.lowerBound) } ?? 0)
    }
    let missing = symbols.reduce(0.0) { $0 + Double($1.missingNanoseconds) }
    return time > 0 ? 1 - missing / time : nil
  }

  /// Reads a recording.
  ///
  /// - Parameters:
  ///   - reader: The recording.
  ///   - excerpt: What of it is wanted; what of a gap lies outside is not counted.
  /// - Throws: ``StorageError``, `.damaged` for what cannot be read.
  public init(
    of reader: RecordingReader,
    excerpt: Excerpt = .everything
  ) throws(StorageError) {
    let count = CoverageCount(excerpt)
    var lastRows: [RunID: Int64] = [:]
    for part in try reader.parts(of: [.quote], inDays: excerpt.days) {
      guard let last = try Self.read(part, of: reader, into: count) else { continue }
      lastRows[part.run] = max(last, lastRows[part.run] ?? last)
    }
    try addRuns(of: reader, excerpt, lastRows)
    try addGaps(of: reader, excerpt)
    // The picture is as long as what is drawn in it.
    let ends = runs.flatMap { [$0.start, $0.end ?? $0.start] }
    for time in ends + gaps.flatMap({ [$0.recorded.start, $0.end] }) {
      count.include(excerpt.nearest(to: time))
    }
    symbols = count.symbols
    addMissing(to: excerpt, known: try reader.instruments())
    for symbol in symbols { latency.merge(symbol.latency) }
    (range, bucketNanoseconds) = (count.grid.range, count.grid.width)
  }

  /// Reads a part.
  ///
  /// - Returns: The time of the latest line that counts; nil if there is none.
  private static func read(
    _ part: RecordedPart,
    of reader: RecordingReader,
    into count: CoverageCount
  ) throws(StorageError) -> Int64? {
    let cursor: PartCursor
    do throws(StorageError) {
      cursor = try PartCursor(part, of: reader.storage)
    } catch  where error.code == .missing {
      // Removed meanwhile, because of its age.
      return nil
    }
    var latest: Int64?
    // All lines below an instrument's folder are of that instrument.
    var isForeign = false
    var mayHaveMore = true
    while mayHaveMore, !isForeign {
      mayHaveMore = try cursor.readOn { line throws(StorageError) in
        switch count.add(line.bytes) {
        case .counted(let time): latest = max(latest ?? time, time)
        case .isOutside: break
        case .isForeign: isForeign = part.symbolFolder != nil
        case .isNoQuote: throw cursor.damage("line \(line.number) is no quote")
        }
      }
    }
    return latest
  }
}
