// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import IBKR

/// A stretch of an instrument's time that was recorded, or lies in a gap, or both.
public struct TimelineBucket: Sendable, Hashable {
  /// When it begins, in nanoseconds since 1970.
  public let start: Int64
  /// What came in it; nil for nothing.
  public internal(set) var bucket: CoverageBucket?
  /// How much of it lies in gaps, in nanoseconds.
  public internal(set) var missingNanoseconds: Int64 = 0
  /// Why.
  public internal(set) var reasons: [GapReason] = []

  init(start: Int64) {
    self.start = start
  }
}

extension SymbolCoverage {
  /// The instrument's time, cut evenly.
  ///
  /// - Parameter width: How long each stretch is in nanoseconds: a bucket or several.
  /// - Returns: The stretches that have messages or lie in a gap, in their order.
  public func timeline(every width: Int64) -> [TimelineBucket] {
    var found: [Int64: TimelineBucket] = [:]
    for bucket in buckets {
      let index = bucket.start / width
      var known = found[index] ?? TimelineBucket(start: index * width)
      if known.bucket == nil { known.bucket = bucket } else { known.bucket?.merge(bucket) }
      found[index] = known
    }
    for span in missing {
      // What ends with a stretch does not reach into the next; what is no time at all is somewhere.
      let last = max(span.start, span.end - 1) / width
      for index in span.start / width...last {
        var known = found[index] ?? TimelineBucket(start: index * width)
        let start = max(span.start, known.start)
        known.missingNanoseconds += min(span.end, known.start + width) - start
        if !known.reasons.contains(span.reason) { known.reasons.append(span.reason) }
        found[index] = known
      }
    }
    return found.values.sorted { $0.start < $1.start }
  }
}
