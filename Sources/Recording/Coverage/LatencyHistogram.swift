// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How long messages were under way, from the server's clock to ours.
///
/// Times are counted by their first two digits, so every number that comes out of it is right to
/// two digits, rounded down, however many messages there were.
public struct LatencyHistogram: Sendable, Hashable {
  /// Some of the messages: a bar of a chart.
  public struct Bar: Sendable, Hashable {
    /// From how many nanoseconds on.
    public let from: Int64
    /// Below how many nanoseconds.
    public let to: Int64
    /// How many messages.
    public let count: Int
  }

  /// How many messages were counted.
  public private(set) var count = 0
  /// How many of them came before they were sent, because one of the clocks is wrong.
  public private(set) var early = 0
  /// The longest time, in nanoseconds; nil without messages.
  public private(set) var max: Int64?

  /// By first two digits and power of ten: see ``place(of:)``.
  private var counts: [Int: Int] = [:]

  /// Counts a message.
  ///
  /// - Parameter nanoseconds: How long it was under way.
  mutating func add(_ nanoseconds: Int64) {
    count += 1
    max = Swift.max(max ?? nanoseconds, nanoseconds)
    if nanoseconds < 0 {
      early += 1
    } else {
      counts[Self.place(of: nanoseconds), default: 0] += 1
    }
  }

  /// Adds what was counted elsewhere.
  mutating func merge(_ other: LatencyHistogram) {
    count += other.count
    early += other.early
    if let longest = other.max { max = Swift.max(max ?? longest, longest) }
    counts.merge(other.counts, uniquingKeysWith: +)
  }

  /// The time that so many of a hundred messages did not exceed.
  ///
  /// - Parameter percent: How many, from 0 to 100.
  /// - Returns: Nanoseconds to two digits, rounded down; 0 for what came early; nil without messages.
  public func percentile(_ percent: Double) -> Int64? {
    guard count > 0 else { return nil }
    // The nearest rank: the smallest time that enough messages do not exceed.
    let rank = Swift.max(1, Int((percent / 100 * Double(count)).rounded(.up)))
    var seen = early
    if seen >= rank { return 0 }
    for (place, number) in counts.sorted(by: { $0.key < $1.key }) {
      seen += number
      if seen >= rank { return Self.start(of: place) }
    }
    return max
  }

  /// The messages in ten bars for each power of ten, from the shortest to the longest time; those that
  /// came early are in none.
  public var bars: [Bar] {
    var numbers: [Int: Int] = [:]
    for (place, number) in counts {
      let digits = place % 90 + 10
      let step = Self.steps.lastIndex { $0 <= digits } ?? 0
      numbers[place / 90 * Self.steps.count + step, default: 0] += number
    }
    guard let first = numbers.keys.min(), let last = numbers.keys.max() else { return [] }
    return (first...last).map { bar in
      Bar(from: Self.edge(bar), to: Self.edge(bar + 1), count: numbers[bar] ?? 0)
    }
  }

  /// Tenths of a power of ten on a scale of logarithms, to two digits.
  private static let steps = [10, 13, 16, 20, 25, 32, 40, 50, 63, 79]

  private static func edge(_ bar: Int) -> Int64 {
    let (decade, step) = bar.quotientAndRemainder(dividingBy: steps.count)
    return scaled(Int64(steps[step]), by: decade)
  }

  /// Ninety places for each power of ten; what is below 10 ns is in the first.
  private static func place(of nanoseconds: Int64) -> Int {
    var (digits, decade) = (nanoseconds, 0)
    while digits >= 100 { (digits, decade) = (digits / 10, decade + 1) }
    return decade * 90 + Swift.max(0, Int(digits) - 10)
  }

  private static func start(of place: Int) -> Int64 {
    place == 0 ? 0 : scaled(Int64(place % 90 + 10), by: place / 90)
  }

  private static func scaled(_ digits: Int64, by decade: Int) -> Int64 {
    (0..<decade).reduce(digits) { number, _ in
      let (product, overflow) = number.multipliedReportingOverflow(by: 10)
      return overflow ? .max : product
    }
  }
}
