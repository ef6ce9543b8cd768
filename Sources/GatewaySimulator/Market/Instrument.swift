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

  /// What is traded.
  enum Kind: Sendable, Hashable {
    case stock, index
    /// A pair: the symbol is the base's, the currency the quote's.
    case currency
    case future(Listing)
    case option(Listing, right: String, strike: Int64)
  }

  /// What a derivative stands on, and when it ends.
  struct Listing: Sendable, Hashable {
    let underlying: Int
    let tradingClass: String
    let multiplier: Int
    /// The month by which it is called.
    let month: Month
    /// Its last day, as `20261218`.
    let end: String
  }

  let conid: Int
  /// The symbol, of a derivative that of its underlying.
  let symbol: String
  let companyName: String
  /// The listing exchange.
  let exchange: String
  let isUS: Bool
  let kind: Kind
  let currency: String
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
    kind: Kind = .stock,
    currency: String? = nil,
    behaviour: Behaviour = .live,
    availability: String = "RpB"
  ) {
    self.conid = conid
    self.symbol = symbol
    self.companyName = companyName
    self.exchange = exchange
    self.isUS = isUS
    self.kind = kind
    self.currency = currency ?? (isUS ? "USD" : exchange == "MEXI" ? "MXN" : "EUR")
    self.price = price
    self.priceDigits = priceDigits
    self.tick = tick
    self.behaviour = behaviour
    self.availability = availability
  }

  /// The asset class.
  var type: String {
    switch kind {
    case .stock: "STK"
    case .index: "IND"
    case .currency: "CASH"
    case .future: "FUT"
    case .option: "OPT"
    }
  }

  /// What a derivative stands on; nil for everything else.
  var listing: Listing? {
    switch kind {
    case .future(let listing), .option(let listing, _, _): listing
    case .stock, .index, .currency: nil
    }
  }

  /// The exchange's own symbol.
  var localSymbol: String {
    switch kind {
    case .stock, .index: symbol
    case .currency: "\(symbol).\(currency)"
    case .future(let listing): "\(symbol)\(listing.month.code)\(listing.month.year % 10)"
    case .option(let listing, let right, let strike):
      listing.tradingClass.padded(to: 6) + listing.end.suffix(6) + right
        + String(String(100_000_000 + strike * 1_000).dropFirst())
    }
  }

  /// The step of its price as a number: `0.01`.
  var step: String { Self.number(tick, digits: priceDigits) }

  /// A price as a number with a point.
  static func number(_ units: Int64, digits: Int) -> String {
    guard digits > 0 else { return "\(units)" }
    var text = String(units)
    text = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    return "\(text.dropLast(digits)).\(text.suffix(digits))"
  }
}

extension String {
  /// The text with spaces behind it.
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
