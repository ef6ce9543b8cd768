// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser

/// What to subscribe to.
struct InstrumentOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Symbols or conids, with @EXCH for the data of one exchange.",
      valueName: "symbol"
    )
  )
  var symbols: [String] = []

  @Option(
    name: [.customShort("f"), .long],
    help: "A file with a symbol or conid in each line; - for standard input."
  )
  var file: String?

  @Option(help: "The fields to ask for, by number or name, with commas between them.")
  var fields: FieldList?

  func validate() throws {
    if symbols.isEmpty, file == nil {
      throw ValidationError("name at least one symbol or conid, or a file of them with -f")
    }
    for symbol in symbols where InstrumentName(symbol) == nil {
      throw ValidationError("'\(symbol)' is neither a symbol nor a conid")
    }
  }

  /// Everything that was named, each once, in its order.
  ///
  /// - Returns: The names.
  /// - Throws: `ValidationError` if the file cannot be read or has something else in it.
  func names() throws -> [InstrumentName] {
    var seen: Set<InstrumentName> = []
    return try (symbols + fileSymbols()).compactMap { symbol in
      guard let name = InstrumentName(symbol) else {
        throw ValidationError("'\(symbol)' in \(file ?? "") is neither a symbol nor a conid")
      }
      return seen.insert(name).inserted ? name : nil
    }
  }

  private func fileSymbols() throws -> [String] {
    guard let file else { return [] }
    return try TextFile.read(file, as: "the file of symbols").split(whereSeparator: \.isNewline)
      .map { $0.prefix { $0 != "#" }.trimmingSpaces() }
      .filter { !$0.isEmpty }
  }
}

/// An instrument as a person names it: `AAPL`, `265598`, `AAPL@ARCA`.
struct InstrumentName: Hashable, CustomStringConvertible {
  /// The symbol or conid.
  let symbol: String
  /// The exchange whose data is wanted; nil for all.
  let exchange: String?

  init?(_ text: String) {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    // The wire has `+`, braces and white space for itself.
    let isPlain = text.unicodeScalars.allSatisfy { scalar in
      !scalar.properties.isWhitespace && !"+{},\"\\".unicodeScalars.contains(scalar)
    }
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }), isPlain else {
      return nil
    }
    symbol = String(parts[0])
    exchange = parts.count > 1 ? String(parts[1]) : nil
  }

  var description: String { exchange.map { "\(symbol)@\($0)" } ?? symbol }
}

extension Substring {
  fileprivate func trimmingSpaces() -> String {
    var rest = self
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}
