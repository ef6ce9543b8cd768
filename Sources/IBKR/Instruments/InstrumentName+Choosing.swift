// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension InstrumentName {
  /// Decides for one of the instruments that have the symbol.
  ///
  /// The exchange decides if one was given. Otherwise a listing in the United States comes before
  /// others, as in IBind, and the only index of a name before stocks that are listed elsewhere: who
  /// writes `SPX` means the index, though a company in London has the symbol too.
  ///
  /// - Parameter candidates: What has the symbol.
  /// - Returns: The one.
  /// - Throws: ``IbkrError`` with `unknownSymbol` or `ambiguousSymbol`.
  func choose(from candidates: [Instrument]) throws(IbkrError) -> Instrument {
    let all = candidates.filter { candidate in
      exchange.map { candidate.exchange?.uppercased().hasPrefix($0) == true } ?? true
    }
    let choice = exchange == nil ? Self.preferred(all) : all
    if choice.count == 1 { return choice[0] }
    guard choice.isEmpty else { throw ambiguous(choice) }
    throw unknown(near: candidates)
  }

  private static func preferred(_ candidates: [Instrument]) -> [Instrument] {
    let american = candidates.filter { $0.isUS == true }
    if !american.isEmpty { return american }
    let indices = candidates.filter { $0.securityType == "IND" }
    return indices.count == 1 ? indices : candidates
  }

  /// The error of a name that several instruments have.
  func ambiguous(_ candidates: [Instrument]) -> IbkrError {
    let list = candidates.prefix(20).map { candidate in
      "\(candidate.word(among: candidates)) (\(candidate.traits.joined(separator: " ")))"
    }
    return IbkrError(
      .ambiguousSymbol,
      "\(candidates.count) instruments are called \(self)",
      remedy: "write one of " + list.joined(separator: "; "),
      candidates: candidates
    )
  }

  /// The error of a name that nothing has.
  ///
  /// - Parameters:
  ///   - candidates: Instruments of the same symbol elsewhere, or of symbols like it.
  ///   - what: What is known besides.
  /// - Returns: The error.
  func unknown(near candidates: [Instrument], _ what: String? = nil) -> IbkrError {
    var remedy = "check the spelling, or give the conid"
    if !candidates.isEmpty {
      let words = candidates.prefix(8).map { candidate in
        let namesakes = candidates.filter { $0.symbol == candidate.symbol }
        let isAlone = candidate.symbol != symbol && namesakes.count == 1
        let word = isAlone ? candidate.symbol : candidate.word(among: namesakes)
        return ShellWord.quoted(word) + (candidate.name.map { " (\($0))" } ?? "")
      }
      remedy = "did you mean " + words.joined(separator: ", ") + "?"
      if let exchange, let first = candidates.first(where: { $0.symbol == symbol }) {
        remedy += " For the data of \(exchange) alone write \(first.conid)@\(exchange)"
      }
    }
    return IbkrError(
      .unknownSymbol,
      "no instrument is called \(self)" + (what.map { ": \($0)" } ?? ""),
      remedy: remedy,
      candidates: candidates
    )
  }
}
