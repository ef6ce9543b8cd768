// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON
import Logging

extension IbkrClient {
  /// Turns what a person types into instruments (protocol reference 6.1).
  ///
  /// - Parameter symbols: Each a stock's or an index's symbol (`AAPL`, `SPX`), a currency pair
  ///   (`EUR.USD`), a future (`ESZ6`), an option as the OCC writes it (`AAPL  261218C00250000`, also
  ///   without the spaces), any of them with the exchange that lists it (`AAPL@NASDAQ`), or a conid
  ///   (`265598`).
  /// - Returns: One instrument for each, in order.
  /// - Throws: ``IbkrError`` with `unknownSymbol`, or `ambiguousSymbol` and the candidates; or why
  ///   the server could not be asked. A conid needs no answer: if its symbol cannot be looked up,
  ///   the conid stands for it.
  public func instruments(for symbols: [String]) async throws(IbkrError) -> [Instrument] {
    let names = try symbols.map { text throws(IbkrError) in try InstrumentName(text) }
    return try await instruments(named: names)
  }

  /// Turns names into instruments: see ``instruments(for:)``.
  package func instruments(
    named names: [InstrumentName]
  ) async throws(IbkrError) -> [Instrument] {
    // What looks like a future may be a stock all the same.
    let symbols = Set(names.filter(\.mayBeStock).map(\.symbol))
    let stocks = try await stocks(symbols.sorted())
    var found: [Instrument] = []
    for name in names {
      let listed = stocks[name.symbol] ?? []
      switch name.kind {
      case .conid(let conid): found.append(Instrument(conid: conid, symbol: name.symbol))
      case .symbol: found.append(try await instrument(name, listed))
      case .pair: found.append(try await currencyPair(name))
      case .future(let symbol): found.append(try await future(name, symbol, stocks: listed))
      case .option(let symbol): found.append(try await option(name, symbol))
      }
    }
    let described = await described(found)
    await announce(described)
    return described
  }

  /// A stock or an index.
  private func instrument(
    _ name: InstrumentName,
    _ stocks: [Instrument]
  ) async throws(IbkrError) -> Instrument {
    var candidates = stocks
    let isSettled = stocks.contains { stock in
      name.exchange.map { stock.exchange?.uppercased().hasPrefix($0) == true }
        ?? (stock.isUS == true)
    }
    if !isSettled {
      let others: [InstrumentMatch]
      do throws(IbkrError) {
        others = try await matches(name.symbol)
      } catch {
        // What is a stock needs no brokerage session; only its namesakes remain unknown then.
        guard !stocks.isEmpty else { throw error }
        others = []
      }
      let exact = others.filter { $0.instrument.symbol == name.symbol }
      let known = Set(stocks.map(\.conid))
      candidates += exact.filter(\.isInstrument).map(\.instrument)
        .filter { !known.contains($0.conid) }
      if candidates.isEmpty { throw await unknown(name, exact) }
    }
    do throws(IbkrError) {
      return try name.choose(from: candidates)
    } catch  where error.code == .ambiguousSymbol {
      // The currency is what tells many of them apart.
      throw name.ambiguous(await described(Array(error.candidates.prefix(20))))
    }
  }

  /// What symbols stand for on the exchanges for stocks, by symbol.
  func stocks(_ symbols: [String]) async throws(IbkrError) -> [String: [Instrument]] {
    var found: [String: [Instrument]] = [:]
    // A hundred fit into an address of any length that is borne.
    for start in stride(from: 0, to: symbols.count, by: 100) {
      let some = symbols[start..<min(start + 100, symbols.count)].joined(separator: ",")
      let answer = try await call(.get, "trsrv/stocks", query: [("symbols", some)])
      for symbol in answer.members ?? [] {
        for company in symbol.value.elements ?? [] {
          for contract in company["contracts"]?.elements ?? [] {
            guard let conid = contract["conid"]?.int else { continue }
            found[symbol.key, default: []].append(
              Instrument(
                conid: conid,
                symbol: symbol.key,
                name: company["name"]?.string,
                exchange: contract["exchange"]?.string,
                securityType: company["assetClass"]?.string,
                isUS: contract["isUS"]?.bool
              )
            )
          }
        }
      }
    }
    return found
  }

  /// The underlyings that a search finds; none where the server can only say so by an error.
  func matches(
    _ text: String,
    byName: Bool = false
  ) async throws(IbkrError) -> [InstrumentMatch] {
    var query = [(name: "symbol", value: text)]
    if byName { query.append((name: "name", value: "true")) }
    let answer: JSONValue
    do {
      answer = try await call(.get, "iserver/secdef/search", query: query)
    } catch  where error.code == .server {
      return []
    }
    return (answer.elements ?? []).compactMap { InstrumentMatch(answer: $0) }
  }

  /// Adds what the definitions of contracts tell: currency, multiplier, price step, type and exchange,
  /// and the symbols of what was named by its conid.
  ///
  /// A recording goes on without them, so nothing is thrown.
  func described(_ instruments: [Instrument]) async -> [Instrument] {
    var definitions: [Int: JSONValue] = [:]
    let conids = instruments.map(\.conid)
    for start in stride(from: 0, to: conids.count, by: 200) {
      let some = conids[start..<min(start + 200, conids.count)].map(String.init)
      let list = some.joined(separator: ",")
      do throws(IbkrError) {
        let answer = try await call(.get, "trsrv/secdef", query: [("conids", list)])
        for entry in answer["secdef"]?.elements ?? [] {
          if let conid = entry["conid"]?.int { definitions[conid] = entry }
        }
      } catch {
        logger.warning(
          "currencies, multipliers and the symbols of conids are not known",
          metadata: ["why": "\(error)"]
        )
        return instruments
      }
    }
    var described: [Instrument] = []
    for instrument in instruments {
      guard let definition = definitions[instrument.conid] else {
        described.append(instrument)
        continue
      }
      var more = instrument.adding(definition)
      // Of a derivative the definition has the underlying's symbol only.
      if more.symbol == "\(more.conid)", more.isDerivative,
        let details = try? await contractDetails(of: more.conid, withRules: false)
      {
        more.symbol = details.instrument.symbol
      }
      if more.symbol == "\(more.conid)", let symbol = Self.symbol(in: definition) {
        more.symbol = symbol
      }
      described.append(more)
    }
    return described
  }

  private static func symbol(in definition: JSONValue) -> String? {
    guard let ticker = definition["ticker"]?.string, !ticker.isEmpty else { return nil }
    guard definition["assetClass"]?.string == "CASH", !ticker.contains("."),
      let currency = definition["currency"]?.string
    else { return ticker }
    return "\(ticker).\(currency)"
  }
}

extension InstrumentName {
  /// Whether the list of stocks has to be asked.
  fileprivate var mayBeStock: Bool {
    switch kind {
    case .symbol, .future: true
    case .conid, .pair, .option: false
    }
  }
}

extension Instrument {
  /// The instrument with what an entry of `trsrv/secdef` tells besides.
  fileprivate func adding(_ definition: JSONValue) -> Instrument {
    func text(_ key: String) -> String? {
      definition[key]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }
    var more = self
    more.name = name ?? text("name")
    more.exchange = exchange ?? text("listingExchange")
    more.securityType = securityType ?? text("assetClass")
    more.isUS = isUS ?? definition["isUS"]?.bool
    more.currency = currency ?? text("currency")
    more.multiplier = multiplier ?? Instrument.multiplier(text("multiplier"))
    more.tickSize = tickSize ?? ContractDetails.steps(definition["incrementRules"]).first?.step
    return more
  }
}
