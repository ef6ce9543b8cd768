// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// What the futures on one underlying have in common.
struct FutureRoot: Sendable {
  let symbol: String
  let name: String
  let exchange: String
  let currency: String
  /// The conid of what stands behind them, which a search finds.
  let underlying: Int
  /// The trading classes, each with its multiplier.
  let classes: [(name: String, multiplier: Int)]
  let price: Int64
  let tick: Int64
  /// Every how many months one ends.
  let step: Int
  /// How many months before the one that it is called by a contract ends: crude oil of January ends
  /// in December.
  let lead: Int

  /// How many months are listed at a time.
  private static let listed = 5
  /// The conid of the first contract of the first root.
  private static let firstConid = 880_000_000
  /// So many trading classes are told apart.
  private static let classCount = 4

  static let all = [
    FutureRoot(
      symbol: "ES",
      name: "E-MINI S&P 500",
      exchange: "CME",
      currency: "USD",
      underlying: 11_004_968,
      classes: [("ES", 50)],
      price: 657_125,
      tick: 25,
      step: 3,
      lead: 0
    ),
    FutureRoot(
      symbol: "CL",
      name: "LIGHT SWEET CRUDE OIL",
      exchange: "NYMEX",
      currency: "USD",
      underlying: 17_340_715,
      classes: [("CL", 1_000)],
      price: 5_910,
      tick: 1,
      step: 1,
      lead: 1
    ),
    FutureRoot(
      symbol: "DAX",
      name: "DAX INDEX",
      exchange: "EUREX",
      currency: "EUR",
      underlying: 825_711,
      classes: [("FDAX", 25), ("FDXM", 5)],
      price: 2_321_900,
      tick: 100,
      step: 3,
      lead: 0
    ),
  ]

  /// The months that can be traded at a time, the next to end first.
  func months(at now: Timestamp) -> [Month] {
    guard let present = Month(of: now) else { return [] }
    // The month's own contract may have ended, so the next one is the first.
    let first = present.index + 1 + lead
    let aligned = (first + step - 1 - (2 % step)) / step * step + (2 % step)
    return Month(index: aligned)?.following(Self.listed, every: step) ?? []
  }

  /// The contracts that can be traded at a time.
  func contracts(at now: Timestamp) -> [Instrument] {
    months(at: now).flatMap { month in
      classes.indices.map { contract($0, month) }
    }
  }

  /// The future that a conid stands for.
  static func future(_ conid: Int) -> Instrument? {
    let number = conid - firstConid
    guard number >= 0, number < all.count * classCount * Month.count,
      let month = Month(index: number % Month.count)
    else { return nil }
    let place = number / Month.count
    let root = all[place / classCount]
    guard root.classes.indices.contains(place % classCount) else { return nil }
    return root.contract(place % classCount, month)
  }

  private func contract(_ place: Int, _ month: Month) -> Instrument {
    let root = Self.all.firstIndex { $0.symbol == symbol } ?? 0
    let end = Month(index: month.index - lead) ?? month
    return Instrument(
      Self.firstConid + (root * Self.classCount + place) * Month.count + month.index,
      symbol,
      name,
      exchange,
      price: price,
      tick: tick,
      isUS: currency == "USD",
      kind: .future(
        Instrument.Listing(
          underlying: underlying,
          tradingClass: classes[place].name,
          multiplier: classes[place].multiplier,
          month: month,
          end: end.friday(3)
        )
      ),
      currency: currency
    )
  }
}
