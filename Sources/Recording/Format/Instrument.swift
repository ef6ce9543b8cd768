// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What a recording knows of an instrument, so that it can be read years later.
public struct Instrument: Sendable, Hashable {
  /// IBKR's number of the contract.
  public var conid: Int
  /// The name that a person calls it by; files and rows carry it.
  public var symbol: String
  /// The exchange it is listed on.
  public var exchange: String?
  /// The currency it is quoted in.
  public var currency: String?
  /// IBKR's security type, as `STK` or `FUT`.
  public var securityType: String?
  /// The contract's multiplier, with its digits as IBKR prints them.
  public var multiplier: String?
  /// The smallest step of a price, with its digits as IBKR prints them.
  public var tickSize: String?

  /// Creates a description.
  ///
  /// - Parameters:
  ///   - conid: IBKR's number of the contract.
  ///   - symbol: The name that a person calls it by.
  ///   - exchange: The exchange it is listed on, if known.
  ///   - currency: The currency it is quoted in, if known.
  ///   - securityType: IBKR's security type, if known.
  ///   - multiplier: The contract's multiplier, if known.
  ///   - tickSize: The smallest step of a price, if known.
  public init(
    conid: Int,
    symbol: String,
    exchange: String? = nil,
    currency: String? = nil,
    securityType: String? = nil,
    multiplier: String? = nil,
    tickSize: String? = nil
  ) {
    self.conid = conid
    self.symbol = symbol
    self.exchange = exchange
    self.currency = currency
    self.securityType = securityType
    self.multiplier = multiplier
    self.tickSize = tickSize
  }

  /// The instrument's line of `instruments.ndjson`.
  ///
  /// - Parameters:
  ///   - run: The run that looked it up.
  ///   - realtime: When, in nanoseconds since 1970: the line is valid from then.
  ///   - lines: Where to put the line.
  package func appendLine(run: RunID, realtime: Int64, to lines: inout LineBuffer) {
    lines.append("{\"v\":1,\"run\":\"")
    lines.append(contentsOf: Array(run.description.utf8))
    lines.append("\",\"conid\":")
    lines.append(Int64(conid))
    lines.append(",\"symbol\":")
    lines.append(string: symbol)
    lines.append(",\"exchange\":")
    lines.append(stringOrNull: exchange)
    lines.append(",\"currency\":")
    lines.append(stringOrNull: currency)
    lines.append(",\"sec_type\":")
    lines.append(stringOrNull: securityType)
    lines.append(",\"multiplier\":")
    lines.append(stringOrNull: multiplier)
    lines.append(",\"tick_size\":")
    lines.append(stringOrNull: tickSize)
    lines.append(",\"valid_from\":")
    lines.append(realtime)
    lines.append("}\n")
  }
}
