// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import JSON

/// Everything that the server tells of one contract.
public struct ContractDetails: Sendable, Hashable {
  /// From a price on, the step by which prices change.
  public struct PriceStep: Sendable, Hashable {
    /// The lowest price for which it holds.
    public let from: Decimal
    /// The step.
    public let step: Decimal
  }

  /// What the look-up tells as well.
  public let instrument: Instrument
  /// The exchange's own symbol: `AAPL  261218C00250000`, `ESZ6`.
  public let localSymbol: String?
  /// What of several kinds of contracts on one underlying this is: `SPXW`.
  public let tradingClass: String?
  /// The month by which a derivative is called, as `202612`: not always that in which it ends.
  public let contractMonth: String?
  /// The last day of a derivative or a bond, as `20261218`.
  public let maturity: String?
  /// What a derivative stands on.
  public let underlyingConid: Int?
  /// The exchanges that can be named behind the `@` of its conid.
  public let exchanges: [String]
  /// The branch of the company.
  public let industry: String?
  /// What the company does there.
  public let category: String?
  /// How prices change, from the lowest on; empty if the server has not told.
  public let priceSteps: [PriceStep]
  /// The orders that it takes.
  public let orderTypes: [String]

  /// Reads an answer of `iserver/contract/{conid}/info` or `…/info-and-rules` (protocol reference
  /// 6.1); nil without a conid.
  init?(answer: JSONValue) {
    guard let conid = answer["con_id"]?.int else { return nil }
    func text(_ key: String) -> String? {
      answer[key]?.string.flatMap { $0.isEmpty || $0 == "null" ? nil : $0 }
    }
    let rules = answer["rules"]
    var steps = Self.steps(rules?["incrementRules"])
    if steps.isEmpty, let step = rules?["increment"]?.decimal {
      steps = [PriceStep(from: Decimal(0), step: step)]
    }
    priceSteps = steps
    localSymbol = text("local_symbol")
    tradingClass = text("trading_class")
    contractMonth = text("contract_month")
    maturity = text("maturity_date")
    underlyingConid = answer["underlying_con_id"]?.int.flatMap { $0 > 0 ? $0 : nil }
    exchanges = text("valid_exchanges")?.split(separator: ",").map(String.init) ?? []
    industry = text("industry")
    category = text("category")
    orderTypes = rules?["orderTypes"]?.elements?.compactMap(\.string) ?? []
    let type = text("instrument_type")
    let ticker = text("symbol") ?? "\(conid)"
    var symbol = localSymbol.flatMap { Self.symbol(local: $0) } ?? ticker
    if type == "CASH", !symbol.contains("."), let currency = text("currency") {
      symbol = "\(ticker).\(currency)"
    }
    instrument = Instrument(
      conid: conid,
      symbol: symbol,
      name: text("company_name"),
      exchange: text("exchange"),
      securityType: type,
      currency: text("currency"),
      multiplier: text("multiplier").flatMap { Instrument.multiplier($0) },
      tickSize: steps.first?.step
    )
  }

  /// Reads the table of price steps, where the server has one.
  static func steps(_ table: JSONValue?) -> [PriceStep] {
    (table?.elements ?? []).compactMap { rule in
      guard let step = rule["increment"]?.decimal else { return nil }
      return PriceStep(from: rule["lowerEdge"]?.decimal ?? Decimal(0), step: step)
    }
    .sorted { $0.from < $1.from }
  }

  /// The exchange's symbol of a future or an option, as a person would write it.
  private static func symbol(local text: String) -> String? {
    guard let name = try? InstrumentName(text) else { return nil }
    return switch name.kind {
    case .future, .option, .pair: name.symbol
    case .conid, .symbol: nil
    }
  }
}

extension Instrument {
  /// A multiplier as the server writes it; 0 and nothing both say that there is none.
  static func multiplier(_ text: String?) -> Decimal? {
    text.flatMap { Decimal($0) }.flatMap { $0 == Decimal(0) ? nil : $0 }
  }
}
