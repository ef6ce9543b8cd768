// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON

extension IbkrClient {
  /// Searches for underlyings by symbol, and by a part of the company's name.
  ///
  /// - Parameter text: A symbol, or a word of a name.
  /// - Returns: What has the symbol first, each once.
  /// - Throws: ``IbkrError`` if the server cannot be asked.
  public func search(_ text: String) async throws(IbkrError) -> [InstrumentMatch] {
    // By name first: after it the server would tell no strikes of what has the symbol.
    let named = try await matches(text, byName: true)
    let called = try await matches(text.uppercased())
    var seen: Set<Int> = []
    return (called + named).filter { seen.insert($0.instrument.conid).inserted }
  }

  /// Asks for everything that the server tells of a contract.
  ///
  /// - Parameter conid: The contract.
  /// - Returns: The details.
  /// - Throws: ``IbkrError``, with `unexpectedAnswer` for an answer without a contract.
  public func contractDetails(of conid: Int) async throws(IbkrError) -> ContractDetails {
    try await contractDetails(of: conid, withRules: true)
  }

  func contractDetails(
    of conid: Int,
    withRules: Bool
  ) async throws(IbkrError) -> ContractDetails {
    let path = "iserver/contract/\(conid)/" + (withRules ? "info-and-rules" : "info")
    let answer = try await call(.get, path, query: withRules ? [("isBuy", "true")] : [])
    guard let details = ContractDetails(answer: answer) else {
      throw unexpected("without a contract", from: "GET \(path)")
    }
    return details
  }

  /// The server as it can be told apart from others: `https://localhost:5000`.
  package nonisolated var serverOrigin: String { base.origin }

  // MARK: Currencies

  /// A currency pair: each side's list of pairs is looked at, and the search where neither has it.
  func currencyPair(_ name: InstrumentName) async throws(IbkrError) -> Instrument {
    guard case .pair(let base, let quote) = name.kind else { throw name.unknown(near: []) }
    let reversed = "\(quote).\(base)"
    var reverse: Instrument?
    for currency in [base, quote] {
      for pair in try await pairs(currency) {
        if pair.symbol == name.symbol { return pair }
        if pair.symbol == reversed { reverse = pair }
      }
    }
    let exact = try await matches(name.symbol).map(\.instrument).filter {
      $0.symbol == name.symbol
    }
    if let found = exact.first { return found }
    throw name.unknown(near: reverse.map { [$0] } ?? [])
  }

  private func pairs(_ currency: String) async throws(IbkrError) -> [Instrument] {
    let answer: JSONValue
    do {
      answer = try await call(.get, "iserver/currency/pairs", query: [("currency", currency)])
    } catch  where error.code == .server {
      return []
    }
    return (answer.members ?? []).flatMap { $0.value.elements ?? [] }.compactMap { pair in
      guard let conid = pair["conid"]?.int, let symbol = pair["symbol"]?.string else { return nil }
      return Instrument(
        conid: conid,
        symbol: symbol,
        securityType: "CASH",
        currency: symbol.split(separator: ".").last.map(String.init)
      )
    }
  }

  // MARK: Suggestions

  /// The error of a name that nothing has, with what may have been meant.
  ///
  /// - Parameters:
  ///   - name: The name.
  ///   - matches: What the search says of its symbol, or of a future's root.
  /// - Returns: The error.
  func unknown(_ name: InstrumentName, _ matches: [InstrumentMatch]) async -> IbkrError {
    let root = if case .future(let future) = name.kind { future.root } else { name.symbol }
    let months = matches.first { $0.instrument.symbol == root }?.section("FUT")?.months ?? []
    let futures = months.compactMap { ContractMonth(name: $0) }.prefix(4).map { month in
      Instrument(conid: 0, symbol: FutureSymbol.text(root, month), securityType: "FUT")
    }
    guard futures.isEmpty else { return name.unknown(near: futures, "\(root) has futures") }
    // Whatever fails now, the symbol is unknown all the same.
    var near: [Instrument] = []
    if let stocks = try? await stocks(name.misspelt) {
      near = name.misspelt.flatMap { stocks[$0]?.filter { $0.isUS == true } ?? [] }
    }
    if near.isEmpty, let named = try? await self.matches(name.symbol, byName: true) {
      near = named.filter(\.isInstrument).map(\.instrument)
    }
    return name.unknown(near: Array(near.prefix(5)))
  }
}

extension InstrumentName {
  /// What the symbol would be with a letter less, with two letters swapped, or with a space before
  /// the class of a share: few enough to ask for all of them at once.
  fileprivate var misspelt: [String] {
    let letters = Array(symbol)
    guard (2...8).contains(letters.count) else { return [] }
    var words: [String] = []
    if let point = letters.firstIndex(of: ".") {
      words.append(String(letters[..<point] + [" "] + letters[(point + 1)...]))
    }
    for index in letters.indices.dropLast() where letters[index] != letters[index + 1] {
      var swapped = letters
      swapped.swapAt(index, index + 1)
      words.append(String(swapped))
    }
    for index in letters.indices {
      var shorter = letters
      shorter.remove(at: index)
      words.append(String(shorter))
    }
    var seen: Set<String> = [symbol]
    return words.filter { seen.insert($0).inserted }
  }
}
