// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// The options on American stocks and on the S&P 500: of the next months, with strikes around the
/// price, each ending on the third Friday and, as weeklies do, on the first.
extension InstrumentCatalogue {
  /// The conid of the first option of the first underlying.
  private static let firstOption = 1_000_000_000
  /// How many strikes there are, half of them above the price.
  private static let strikeCount = 41
  private static let places = 64
  private static let fridays = [3, 1]

  /// The months whose options can be traded at a time; none for what has no options.
  func optionMonths(of underlying: Instrument, at now: Timestamp) -> [Month] {
    guard Self.place(of: underlying) != nil, let present = Month(of: now) else { return [] }
    return Month(index: present.index + 1)?.following(6) ?? []
  }

  /// The strikes of an underlying, ascending.
  func strikes(of underlying: Instrument) -> [Int64] {
    let price = underlying.price / 100
    let step: Int64 = price > 1_000 ? 25 : price > 100 ? 5 : 1
    let middle = max(price / step, 21) * step
    return (0..<Self.strikeCount).map { middle + Int64($0 - Self.strikeCount / 2) * step }
  }

  /// The options of a month, a strike and a right, of every day on which one ends.
  func options(
    of underlying: Instrument,
    _ month: Month,
    strike: Int64,
    right: String
  ) -> [Instrument] {
    guard let place = Self.place(of: underlying),
      let index = strikes(of: underlying).firstIndex(of: strike)
    else { return [] }
    return Self.fridays.indices.map { friday in
      Self.option(underlying, place, month, friday, index, strike, right)
    }
  }

  /// The option that a conid stands for.
  func option(_ conid: Int) -> Instrument? {
    let number = conid - Self.firstOption
    guard number >= 0 else { return nil }
    let (rest, low) = number.quotientAndRemainder(dividingBy: 4 * Self.places)
    let (place, index) = rest.quotientAndRemainder(dividingBy: Month.count)
    guard
      let underlying = Self.underlyings.indices.contains(place)
        ? self[Self.underlyings[place]] : nil, let month = Month(index: index)
    else { return nil }
    let strikes = strikes(of: underlying)
    guard strikes.indices.contains(low / 4) else { return nil }
    return Self.option(
      underlying,
      place,
      month,
      low / 2 % 2,
      low / 4,
      strikes[low / 4],
      low % 2 == 0 ? "C" : "P"
    )
  }

  /// The conids of what has options, in an order that does not change.
  private static let underlyings = [
    265_598, 272_093, 8_314, 3_691_937, 208_813_720, 107_113_386, 4_815_747, 76_792_991, 4_391,
    756_733, 320_227_571, 416_904,
  ]

  private static func place(of underlying: Instrument) -> Int? {
    underlyings.firstIndex(of: underlying.conid)
  }

  private static func option(
    _ underlying: Instrument,
    _ place: Int,
    _ month: Month,
    _ friday: Int,
    _ index: Int,
    _ strike: Int64,
    _ right: String
  ) -> Instrument {
    let low = (index * 2 + friday) * 2 + (right == "C" ? 0 : 1)
    // What it would bring today, and something for the time that is left, less far from the price.
    let distance = right == "C" ? underlying.price - strike * 100 : strike * 100 - underlying.price
    let time = max(underlying.price / 30 - abs(distance) / 4, 5)
    // Weekly options of an index are a class of their own.
    let isWeeklyIndex = underlying.type == "IND" && friday > 0
    return Instrument(
      firstOption + (place * Month.count + month.index) * 4 * places + low,
      underlying.symbol,
      underlying.companyName,
      "SMART",
      price: max(distance, 0) + time,
      kind: .option(
        Instrument.Listing(
          underlying: underlying.conid,
          tradingClass: underlying.symbol + (isWeeklyIndex ? "W" : ""),
          multiplier: 100,
          month: month,
          end: month.friday(fridays[friday])
        ),
        right: right,
        strike: strike
      )
    )
  }
}
