// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The raster of time that a recording is drawn on: buckets of one width, aligned to UTC.
///
/// It begins with seconds and takes the next coarser width whenever there would be too many
/// buckets, so a recording is read once and nobody has to know before how long it is.
struct TimeGrid: Sendable {
  /// Each divides the next, so buckets of one width can be put together to those of the next.
  private static let widths: [Int64] = [
    1, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400, 604_800, 6_048_000, 60_480_000,
  ].map { $0 * 1_000_000_000 }

  /// Moments before 1970 and after 2116, which no recorder has seen, count as the nearest that may be.
  static let times: ClosedRange<Int64> = 0...(1 << 62)

  private var level = 0
  /// The first and the last moment that the raster has to hold.
  private(set) var range: ClosedRange<Int64>?

  /// How long a bucket is, in nanoseconds.
  var width: Int64 { Self.widths[level] }

  /// How many buckets there are.
  var count: Int {
    range.map { Int(index(of: $0.upperBound) - index(of: $0.lowerBound)) + 1 } ?? 0
  }

  /// The bucket of a moment, counted since 1970.
  func index(of time: Int64) -> Int64 { Self.clamped(time) / width }

  /// The nearest moment that may be.
  static func clamped(_ time: Int64) -> Int64 {
    min(max(time, times.lowerBound), times.upperBound)
  }

  /// Makes room for a moment.
  mutating func include(_ time: Int64) {
    range = LineSheet.extended(range, to: Self.clamped(time))
  }

  /// Takes wider buckets until there are not too many.
  ///
  /// - Parameter limit: How many there may be; the widest are taken even if that is too many.
  /// - Returns: How many of the buckets before make one now.
  mutating func widen(toAtMost limit: Int) -> Int64 {
    let before = width
    while count > limit, level + 1 < Self.widths.count { level += 1 }
    return width / before
  }
}
