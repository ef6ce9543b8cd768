// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Steele, Lea and Flood's SplitMix64: a fast generator whose sequence a seed fixes.
///
/// For simulated prices and times only; nothing secret may come from it.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Starts the sequence of a seed.
  package init(seed: UInt64) { state = seed }

  /// A generator of its own for each stream of the same seed.
  package init(seed: UInt64, stream: UInt64) {
    var root = SplitMix64(seed: seed)
    self.init(seed: root.next() ^ stream &* 0x9e37_79b9_7f4a_7c15)
  }

  /// The next number of the sequence.
  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number in `range`, the same on every version of the standard library.
  package mutating func next(in range: ClosedRange<Int64>) -> Int64 {
    let width = UInt64(bitPattern: range.upperBound &- range.lowerBound &+ 1)
    let scaled = width == 0 ? next() : next().multipliedFullWidth(by: width).high
    return range.lowerBound &+ Int64(bitPattern: scaled)
  }
}
