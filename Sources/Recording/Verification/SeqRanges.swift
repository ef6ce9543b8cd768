// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A set of numbers that mostly follow each other.
struct SeqRanges {
  private(set) var ranges: [ClosedRange<UInt64>] = []

  /// Adds a number; cheap when it follows the one before.
  mutating func insert(_ seq: UInt64) {
    if let last = ranges.last, seq > last.upperBound {
      if seq == last.upperBound + 1 {
        ranges[ranges.count - 1] = last.lowerBound...seq
      } else {
        ranges.append(seq...seq)
      }
    } else if !contains(seq) {
      ranges.append(seq...seq)
      normalize()
    }
  }

  /// Adds numbers.
  mutating func formUnion(_ other: SeqRanges) {
    ranges += other.ranges
    normalize()
  }

  /// Adds numbers.
  mutating func insert(_ range: ClosedRange<UInt64>) {
    ranges.append(range)
    normalize()
  }

  /// Whether a number is in the set.
  func contains(_ seq: UInt64) -> Bool {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < seq { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(seq)
  }

  /// The stretches between the numbers.
  var holes: [ClosedRange<UInt64>] {
    zip(ranges, ranges.dropFirst()).map { $0.upperBound + 1...$1.lowerBound - 1 }
  }

  private mutating func normalize() {
    ranges.sort { $0.lowerBound < $1.lowerBound }
    var merged: [ClosedRange<UInt64>] = []
    for range in ranges {
      if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    ranges = merged
  }
}
