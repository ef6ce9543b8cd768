// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A contract that the simulator knows, and how its market data behaves.
struct Instrument: Sendable {
  /// How the data of an instrument comes.
  enum Behaviour: Sendable {
    /// Prices with the first message, then changes.
    case live
    /// The first message names the availability only; prices follow, then changes.
    case availabilityFirst
    /// The same, but the market is closed: the previous close stands for the last price, and
    /// nothing changes any more.
    case frozen
    /// Trading is halted: the last price carries its mark and stands still while quotes move.
    case halted
    /// Nothing but `N/A`: delisted, or never there.
    case noData
  }

  let conid: Int
  let symbol: String
  let companyName: String
  /// The listing exchange.
  let exchange: String
  let isUS: Bool
  var currency: String { isUS ? "USD" : exchange == "MEXI" ? "MXN" : "EUR" }
  /// The last price at the start, in units of the last digit shown.
  let price: Int64
  /// How many digits follow the decimal point.
  let priceDigits: Int
  /// The smallest step of a price, in the same units.
  let tick: Int64
  let behaviour: Behaviour
  /// Field 6509.
  let availability: String

  init(
    _ conid: Int,
    _ symbol: String,
    _ companyName: String,
    _ exchange: String,
    price: Int64,
    priceDigits: Int = 2,
    tick: Int64 = 1,
    isUS: Bool = true,
    behaviour: Behaviour = .live,
    availability: String = "RpB"
  ) {
    self.conid = conid
    self.symbol = symbol
    self.companyName = companyName
    self.exchange = exchange
    self.isUS = isUS
    self.price = price
    self.priceDigits = priceDigits
    self.tick = tick
    self.behaviour = behaviour
    self.availability = availability
  }
}
