// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How often values fell between given bounds.
public struct Histogram: Sendable, Hashable {
  /// The upper bounds, in ascending order; above the last there is one more bucket.
  public let bounds: [Double]
  /// How many values fell into each bucket, one more than there are bounds.
  public private(set) var counts: [Int]
  /// The values added up.
  public private(set) var sum = 0.0

  /// Creates an empty histogram.
  ///
  /// - Parameter bounds: The upper bounds, in ascending order.
  public init(bounds: [Double]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
  }

  /// How many values there are.
  public var count: Int { counts.reduce(0, +) }

  /// Adds a value.
  public mutating func add(_ value: Double) {
    counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
    sum += value
  }

  /// The bound that so large a part of the values does not exceed.
  ///
  /// - Parameter share: From 0 to 1.
  /// - Returns: The bound, infinite in the last bucket; nil without values.
  public func bound(of share: Double) -> Double? {
    let wanted = share * Double(count)
    var seen = 0
    guard count > 0 else { return nil }
    for (index, number) in counts.enumerated() {
      seen += number
      if Double(seen) >= wanted { return index < bounds.count ? bounds[index] : .infinity }
    }
    return .infinity
  }
}
