// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Bars of one instrument: the same for the same seed and time, whoever asks and when.
struct BarMaker: Sendable {
  private let instrument: Instrument
  private let seed: UInt64
  /// How many seconds a bar spans.
  let length: Int64

  /// By what volumes are to be multiplied: IBKR's answers have 1, 40 or 100.
  static let volumeFactor: Int64 = 100

  init(_ instrument: Instrument, seed: UInt64, length: Int64) {
    self.instrument = instrument
    self.seed = seed
    self.length = max(1, length)
  }

  /// A bar of a time in which nobody watched.
  ///
  /// - Parameter index: Its number since 1970.
  /// - Returns: The bar.
  func bar(_ index: Int64) -> TradedBars.Bar {
    var random = SplitMix64(seed: seed, stream: mixed(index))
    var bar = TradedBars.Bar(at: price(at: index))
    bar.close = price(at: index + 1)
    bar.high = max(bar.open, bar.close) + random.next(in: 0...5) * instrument.tick
    bar.low = max(
      instrument.tick,
      min(bar.open, bar.close) - random.next(in: 0...5) * instrument.tick
    )
    bar.volume = random.next(in: 1_000...90_000_000)
    return bar
  }

  /// A bar as the server writes it.
  ///
  /// - Parameters:
  ///   - bar: The bar.
  ///   - index: Its number since 1970.
  ///   - values: The values that are wanted; empty for all.
  /// - Returns: A JSON object.
  func text(of bar: TradedBars.Bar, _ index: Int64, values: Set<Character> = []) -> String {
    let members: [(Character, String)] = [
      ("o", number(bar.open)), ("c", number(bar.close)), ("h", number(bar.high)),
      ("l", number(bar.low)),
      ("v", FieldValue.javaDouble(bar.volume * 1_000 / Self.volumeFactor, digits: 3)),
    ]
    let wanted = members.filter { values.isEmpty || values.contains($0.0) }
      .map { "\"\($0.0)\":\($0.1)" }
    return "{\((wanted + ["\"t\":\(index * length * 1_000)"]).joined(separator: ","))}"
  }

  private func price(at index: Int64) -> Int64 {
    var random = SplitMix64(seed: seed &+ 1, stream: mixed(index))
    return max(instrument.tick, instrument.price + random.next(in: -40...40) * instrument.tick)
  }

  private func mixed(_ index: Int64) -> UInt64 {
    UInt64(bitPattern: index &* 1_000_003 &+ Int64(instrument.conid) &* 31 &+ length)
  }

  private func number(_ units: Int64) -> String {
    FieldValue.javaDouble(units, digits: instrument.priceDigits)
  }
}
