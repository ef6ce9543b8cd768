// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// An instrument as the look-up describes it.
public struct Instrument: Sendable, Hashable {
  /// The contract id, which every other call needs.
  public var conid: Int
  /// The symbol that was asked for, in capitals.
  public var symbol: String
  /// The company's or the contract's name.
  public var name: String?
  /// The exchange that it is listed on.
  public var exchange: String?
  /// The asset class: `STK`, `IND`, `FUT`, ….
  public var securityType: String?
  /// Whether it is listed in the United States, if the server says so.
  public var isUS: Bool?

  /// Creates an instrument.
  public init(
    conid: Int,
    symbol: String,
    name: String? = nil,
    exchange: String? = nil,
    securityType: String? = nil,
    isUS: Bool? = nil
  ) {
    self.conid = conid
    self.symbol = symbol
    self.name = name
    self.exchange = exchange
    self.securityType = securityType
    self.isUS = isUS
  }
}

extension Instrument: CustomStringConvertible {
  /// The conid and what tells it from its namesakes.
  public var description: String {
    let details = [securityType, exchange, name].compactMap(\.self).joined(separator: " ")
    return details.isEmpty ? "\(conid)" : "\(conid) (\(details))"
  }
}
