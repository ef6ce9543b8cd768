// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON
import Logging

extension IbkrClient {
  /// Searches for the underlyings of derivatives, without which the server tells nothing of their
  /// prices (protocol reference 6.1).
  ///
  /// - Parameter instruments: Instruments of any kind; nothing is done for others.
  package func announce(_ instruments: [Instrument]) async {
    var roots: [String] = []
    for instrument in instruments where instrument.isDerivative {
      let name = try? InstrumentName(instrument.symbol)
      let root =
        switch name?.kind {
        case .future(let future): future.root
        case .option(let option): option.root
        default: instrument.symbol
        }
      if !roots.contains(root) { roots.append(root) }
    }
    for root in roots {
      do throws(IbkrError) {
        for underlying in Self.underlyings(of: root)
        where try await !matches(underlying).isEmpty { break }
      } catch {
        logger.debug("\(root) could not be searched for", metadata: ["why": "\(error)"])
      }
    }
  }

  /// The symbols that may stand behind a trading class: weekly options of an index have one of
  /// their own, as `SPXW`.
  private static func underlyings(of root: String) -> [String] {
    root.count > 3 && root.last == "W" ? [root, String(root.dropLast())] : [root]
  }

  // MARK: Futures

  /// A future, or a stock that is called like one.
  func future(
    _ name: InstrumentName,
    _ symbol: FutureSymbol,
    stocks: [Instrument]
  ) async throws(IbkrError) -> Instrument {
    var candidates = stocks
    for contract in try await listedFutures(symbol.root) {
      // Crude oil of January ends in December: what month a contract belongs to stands in its
      // details only, so the months beside it are looked at as well.
      let isNear = (-1...2).contains { shift in
        contract.end.advanced(by: shift).map { symbol.matches($0) } ?? false
      }
      guard isNear else { continue }
      var details: ContractDetails?
      do throws(IbkrError) {
        details = try await contractDetails(of: contract.conid, withRules: false)
      } catch {
        logger.debug("\(contract.conid) told no details", metadata: ["why": "\(error)"])
      }
      let month = ContractMonth(digits: details?.contractMonth) ?? contract.end
      guard symbol.matches(month) else { continue }
      var future = details?.instrument ?? Instrument(conid: contract.conid, symbol: name.symbol)
      future.symbol = FutureSymbol.text(symbol.root, month)
      future.securityType = "FUT"
      candidates.append(future)
    }
    if candidates.isEmpty {
      let roots = try await matches(symbol.root)
      throw await unknown(name, roots)
    }
    do throws(IbkrError) {
      return try name.choose(from: candidates)
    } catch  where error.code == .ambiguousSymbol {
      throw name.ambiguous(await described(error.candidates))
    }
  }

  /// The contracts of a root that have not ended, in the order in which they do.
  private func listedFutures(
    _ root: String
  ) async throws(IbkrError) -> [(conid: Int, end: ContractMonth)] {
    let answer: JSONValue
    do {
      answer = try await call(.get, "trsrv/futures", query: [("symbols", root)])
    } catch  where error.code == .server {
      return []
    }
    return (answer[root]?.elements ?? []).compactMap { contract in
      let date = contract["expirationDate"] ?? contract["ltd"]
      guard let conid = contract["conid"]?.int, let end = ContractMonth(digits: date?.string)
      else { return nil }
      return (conid, end)
    }
    .sorted { $0.end < $1.end }
  }

  // MARK: Options

  /// An option: the search for its underlying comes first, else the server lists none.
  func option(
    _ name: InstrumentName,
    _ symbol: OptionSymbol
  ) async throws(IbkrError) -> Instrument {
    var months: [String] = []
    var near: [OptionContract] = []
    for root in Self.underlyings(of: symbol.root) {
      for match in try await matches(root) where match.instrument.symbol == root {
        guard let section = match.section("OPT") else { continue }
        months += section.months
        guard section.months.isEmpty || section.months.contains(symbol.month.name) else { continue }
        let contracts = try await options(match.instrument.conid, symbol, at: name.exchange)
        let exact = symbol.choose(from: contracts)
        if exact.count == 1 { return exact[0].instrument(symbol) }
        if exact.count > 1 {
          throw name.ambiguous(await described(exact.map { $0.instrument(symbol) }))
        }
        near += contracts
        if contracts.isEmpty { near += try await strikes(match.instrument.conid, symbol) }
      }
    }
    if near.isEmpty, months.isEmpty {
      throw name.unknown(near: [], "there are no options of \(symbol.root)")
    }
    guard !near.isEmpty else {
      let list = months.prefix(12).joined(separator: ", ")
      throw name.unknown(near: [], "options of \(symbol.root) end in \(list)")
    }
    // The nearest strikes and days first.
    let sorted = near.sorted { symbol.distance(to: $0) < symbol.distance(to: $1) }
    throw name.unknown(near: sorted.prefix(5).map { $0.instrument(symbol) })
  }

  private func options(
    _ underlying: Int,
    _ symbol: OptionSymbol,
    at exchange: String?
  ) async throws(IbkrError) -> [OptionContract] {
    var query = [
      (name: "conid", value: "\(underlying)"), (name: "sectype", value: "OPT"),
      (name: "month", value: symbol.month.name), (name: "strike", value: symbol.strike),
      (name: "right", value: symbol.right),
    ]
    if let exchange { query.append((name: "exchange", value: exchange)) }
    let answer: JSONValue
    do {
      answer = try await call(.get, "iserver/secdef/info", query: query)
    } catch  where error.code == .server {
      return []
    }
    return (answer.elements ?? []).compactMap { OptionContract(answer: $0, like: symbol) }
  }

  /// The strikes that there are in the month, as contracts without a conid.
  private func strikes(
    _ underlying: Int,
    _ symbol: OptionSymbol
  ) async throws(IbkrError) -> [OptionContract] {
    let query = [
      (name: "conid", value: "\(underlying)"), (name: "sectype", value: "OPT"),
      (name: "month", value: symbol.month.name),
    ]
    let answer: JSONValue
    do {
      answer = try await call(.get, "iserver/secdef/strikes", query: query)
    } catch  where error.code == .server {
      return []
    }
    let list = answer[symbol.right == "C" ? "call" : "put"]?.elements ?? []
    return list.compactMap { strike in
      OptionContract.thousandths(strike).map { OptionContract(strike: $0, like: symbol) }
    }
  }
}

/// One contract of the list that belongs to a month, a strike and a right.
struct OptionContract: Sendable, Hashable {
  let conid: Int
  let maturity: String
  let thousandths: Int
  let tradingClass: String
  let exchange: String?
  let currency: String?
  let multiplier: String?
  let text: String?

  /// Reads an element of an answer of `iserver/secdef/info`.
  init?(answer: JSONValue, like symbol: OptionSymbol) {
    guard let conid = answer["conid"]?.int else { return nil }
    self.conid = conid
    maturity = answer["maturityDate"]?.string ?? symbol.maturity
    thousandths = Self.thousandths(answer["strike"]) ?? symbol.thousandths
    tradingClass = answer["tradingClass"]?.string ?? symbol.root
    exchange = answer["listingExchange"]?.string ?? answer["exchange"]?.string
    currency = answer["currency"]?.string
    multiplier = answer["multiplier"]?.string
    text = answer["desc2"]?.string
  }

  /// A strike that exists, of the wanted day.
  init(strike thousandths: Int, like symbol: OptionSymbol) {
    conid = 0
    maturity = symbol.maturity
    self.thousandths = thousandths
    tradingClass = symbol.root
    (exchange, currency, multiplier, text) = (nil, nil, nil, nil)
  }

  static func thousandths(_ strike: JSONValue?) -> Int? {
    strike?.decimal?.multiplied(byPowerOfTen: 3).flatMap { Int(exactly: $0) }
  }

  /// The contract as an instrument with its symbol.
  func instrument(_ symbol: OptionSymbol) -> Instrument {
    let text = OptionSymbol.text(
      tradingClass,
      maturity: maturity,
      right: symbol.right,
      thousandths
    )
    return Instrument(
      conid: conid,
      symbol: text,
      name: self.text.map { "\(symbol.root) \($0)" },
      exchange: exchange,
      securityType: "OPT",
      currency: currency,
      multiplier: Instrument.multiplier(multiplier)
    )
  }
}

extension OptionSymbol {
  /// The contracts that are meant: of the day and the strike, and of the trading class if one is
  /// called so.
  fileprivate func choose(from contracts: [OptionContract]) -> [OptionContract] {
    var seen: Set<Int> = []
    let exact = contracts.filter {
      $0.maturity == maturity && $0.thousandths == thousandths && seen.insert($0.conid).inserted
    }
    let own = exact.filter { $0.tradingClass == root }
    return own.isEmpty ? exact : own
  }

  /// How far a contract is from the one that was meant: days before strikes.
  fileprivate func distance(to contract: OptionContract) -> Int {
    let days = abs((Int(contract.maturity) ?? 0) - (Int(maturity) ?? 0))
    return days * 1_000_000_000 + abs(contract.thousandths - thousandths)
  }
}
