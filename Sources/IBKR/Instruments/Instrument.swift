// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON

/// An instrument as the look-up describes it.
public struct Instrument: Sendable, Hashable {
  /// The contract id, which every other call needs.
  public var conid: Int
  /// What it is called: `AAPL`, `EUR.USD`, `ESZ6`, `AAPL261218C00250000`.
  public var symbol: String
  /// The company's or the contract's name.
  public var name: String?
  /// The exchange that it is listed on.
  public var exchange: String?
  /// The asset class: `STK`, `IND`, `FUT`, `OPT`, `CASH`, ….
  public var securityType: String?
  /// Whether it is listed in the United States, if the server says so.
  public var isUS: Bool?
  /// The currency that its price is in.
  public var currency: String?
  /// How much of the underlying one contract stands for; nil where that has no meaning.
  public var multiplier: Decimal?
  /// The smallest step of its price, at the lowest prices.
  public var tickSize: Decimal?

  /// Creates an instrument.
  public init(
    conid: Int,
    symbol: String,
    name: String? = nil,
    exchange: String? = nil,
    securityType: String? = nil,
    isUS: Bool? = nil,
    currency: String? = nil,
    multiplier: Decimal? = nil,
    tickSize: Decimal? = nil
  ) {
    self.conid = conid
    self.symbol = symbol
    self.name = name
    self.exchange = exchange
    self.securityType = securityType
    self.isUS = isUS
    self.currency = currency
    self.multiplier = multiplier
    self.tickSize = tickSize
  }

  /// Whether the server wants its underlying searched for before it tells of its prices (protocol
  /// reference 6.1).
  package var isDerivative: Bool {
    ["FUT", "OPT", "FOP", "WAR", "CFD"].contains(securityType)
  }
}

extension Instrument {
  /// What tells it from its namesakes: type, exchange, currency, multiplier, name.
  package var traits: [String] {
    [
      securityType, exchange, currency, multiplier.map { "x\($0)" }, name,
    ].compactMap(\.self)
  }

  /// The word that names this instrument and none of the others.
  ///
  /// - Parameter others: The instruments that it could be taken for.
  /// - Returns: The symbol with the exchange, if no other of them is listed there; else the conid.
  package func word(among others: [Instrument]) -> String {
    guard let exchange, !exchange.contains(" "), !exchange.isEmpty else { return "\(conid)" }
    let namesakes = others.filter { $0.conid != conid && $0.symbol == symbol }
    return namesakes.contains { $0.exchange?.hasPrefix(exchange) == true }
      ? "\(conid)" : "\(symbol)@\(exchange)"
  }
}

extension Instrument: CustomStringConvertible {
  /// The conid and what tells it from its namesakes.
  public var description: String {
    let details = traits.joined(separator: " ")
    return details.isEmpty ? "\(conid)" : "\(conid) (\(details))"
  }
}
