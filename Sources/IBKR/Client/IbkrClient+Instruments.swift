// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON
import Logging

extension IbkrClient {
  /// Turns what a person types into instruments (protocol reference 6.1).
  ///
  /// - Parameter symbols: Each a stock's symbol (`AAPL`), a symbol with the exchange that lists it
  ///   (`AAPL@NASDAQ`), an index or another underlying (`SPX`), or a conid (`265598`).
  /// - Returns: One instrument for each, in order.
  /// - Throws: ``IbkrError`` with `unknownSymbol`, or `ambiguousSymbol` and the candidates; or why
  ///   the server could not be asked. A conid needs no answer: if its symbol cannot be looked up,
  ///   the conid stands for it.
  public func instruments(for symbols: [String]) async throws(IbkrError) -> [Instrument] {
    let requests = try symbols.map { text throws(IbkrError) in try SymbolRequest(text) }
    let names = await names(of: requests.compactMap(\.conid))
    let stocks = try await stocks(requests.filter { $0.conid == nil }.map(\.symbol))
    var instruments: [Instrument] = []
    for request in requests {
      if let conid = request.conid {
        instruments.append(names[conid] ?? Instrument(conid: conid, symbol: "\(conid)"))
      } else {
        var candidates = stocks[request.symbol] ?? []
        if candidates.isEmpty { candidates = try await underlyings(request.symbol) }
        instruments.append(try request.choose(from: candidates))
      }
    }
    return instruments
  }

  private func stocks(_ symbols: [String]) async throws(IbkrError) -> [String: [Instrument]] {
    guard !symbols.isEmpty else { return [:] }
    let query = [(name: "symbols", value: symbols.joined(separator: ","))]
    let answer = try await call(.get, "trsrv/stocks", query: query)
    var found: [String: [Instrument]] = [:]
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
    return found
  }

  /// What is no stock: indices, futures' underlyings, bonds' issuers.
  private func underlyings(_ symbol: String) async throws(IbkrError) -> [Instrument] {
    let answer: JSONValue
    do {
      answer = try await call(.get, "iserver/secdef/search", query: [("symbol", symbol)])
    } catch  where error.code == .server {
      // The server has no better way to say that it found nothing.
      return []
    }
    return (answer.elements ?? []).compactMap { entry in
      // 2147483647 stands for bond issuers and -1 for none: no contracts.
      guard let conid = entry["conid"]?.int, conid > 0, conid < Int(Int32.max),
        entry["symbol"]?.string == symbol
      else { return nil }
      return Instrument(
        conid: conid,
        symbol: symbol,
        name: entry["companyName"]?.string,
        exchange: entry["description"]?.string,
        securityType: entry["sections"]?[0]?["secType"]?.string
      )
    }
  }

  /// The names of conids; a recording goes on without them, so nothing is thrown.
  private func names(of conids: [Int]) async -> [Int: Instrument] {
    guard !conids.isEmpty else { return [:] }
    let list = conids.map(String.init).joined(separator: ",")
    let answer: JSONValue
    do {
      answer = try await call(.get, "trsrv/secdef", query: [("conids", list)])
    } catch {
      logger.warning("conids are recorded without their symbols", metadata: ["why": "\(error)"])
      return [:]
    }
    var found: [Int: Instrument] = [:]
    for entry in answer["secdef"]?.elements ?? [] {
      guard let conid = entry["conid"]?.int, let symbol = entry["ticker"]?.string else { continue }
      found[conid] = Instrument(
        conid: conid,
        symbol: symbol,
        name: entry["name"]?.string,
        exchange: entry["listingExchange"]?.string,
        securityType: entry["assetClass"]?.string,
        isUS: entry["isUS"]?.bool
      )
    }
    return found
  }
}

/// What a person typed for an instrument.
struct SymbolRequest: Equatable {
  let symbol: String
  let exchange: String?
  let conid: Int?

  init(_ text: String) throws(IbkrError) {
    let parts = text.uppercased().split(separator: "@", omittingEmptySubsequences: false)
    let isPrintable = text.unicodeScalars.allSatisfy {
      $0.isASCII && $0.value > 0x20 && $0.value < 0x7F && !"+{},&?#".unicodeScalars.contains($0)
    }
    guard isPrintable, parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }), text.utf8.count <= 64
    else {
      throw IbkrError(
        .unknownSymbol,
        "\"\(ServerWords.sanitized(text))\" is not a symbol",
        remedy: "write AAPL, AAPL@NASDAQ, or a conid such as 265598"
      )
    }
    symbol = String(parts[0])
    exchange = parts.count == 2 ? String(parts[1]) : nil
    conid = Int(symbol).flatMap { $0 > 0 ? $0 : nil }
  }

  /// Decides for one of the instruments that have the symbol.
  ///
  /// The exchange decides if one was given; otherwise a listing in the United States comes before
  /// others, as in IBind.
  func choose(from candidates: [Instrument]) throws(IbkrError) -> Instrument {
    let all = candidates.filter { candidate in
      exchange.map { candidate.exchange?.uppercased().hasPrefix($0) == true } ?? true
    }
    let american = all.filter { $0.isUS == true }
    let choice = exchange == nil && !american.isEmpty ? american : all
    if choice.count == 1 { return choice[0] }
    let name = exchange.map { "\(symbol)@\($0)" } ?? symbol
    if choice.isEmpty {
      let listings = Set(candidates.compactMap(\.exchange)).sorted().joined(separator: ", ")
      throw IbkrError(
        .unknownSymbol,
        "no instrument is called \(name)",
        remedy: candidates.isEmpty
          ? "check the spelling, or give the conid" : "it is listed on \(listings)"
      )
    }
    let list = choice.prefix(20).map(\.description).joined(separator: "; ")
    throw IbkrError(
      .ambiguousSymbol,
      "\(choice.count) instruments are called \(name)",
      remedy: "give one of the conids, or \(symbol)@EXCHANGE: \(list)",
      candidates: choice
    )
  }
}
