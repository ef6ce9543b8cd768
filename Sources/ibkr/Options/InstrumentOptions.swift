// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR

/// What to subscribe to.
struct InstrumentOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "AAPL, AAPL@NASDAQ, EUR.USD, ESZ6@CME, SPX, AAPL261218C00250000, or a conid, with @EXCH for the "
        + "data of one exchange.",
      valueName: "symbol"
    )
  )
  var symbols: [String] = []

  @Option(
    name: [.customShort("f"), .long],
    help: ArgumentHelp(
      "A file with a symbol or conid in each line, and # before comments; - for standard input."
    ),
    completion: .file()
  )
  var file: String?

  @Option(
    help: "The fields to ask for, by number or name, with commas between them.",
    transform: FieldList.parse
  )
  var fields: FieldList?

  @OptionGroup var cache: CacheOptions

  func validate() throws {
    if symbols.isEmpty, file == nil {
      throw ValidationError("name at least one symbol or conid, or a file of them with -f")
    }
    for symbol in symbols { _ = try Self.name(symbol) }
  }

  /// Everything that was named, each once, in its order.
  ///
  /// - Returns: The names.
  /// - Throws: `ValidationError` if the file cannot be read or has something else in it.
  func names() throws -> [InstrumentName] {
    var names = try symbols.map { try Self.name($0) }
    if let file {
      let text = try TextFile.read(file, as: "the file of symbols")
      names += try Self.names(in: text, of: file == "-" ? "standard input" : file)
      if names.isEmpty { throw ValidationError("there is no symbol in \(file)") }
    }
    var seen: Set<InstrumentName> = []
    return names.filter { seen.insert($0).inserted }
  }

  /// The names of a list: one in each line, with comments and empty lines.
  ///
  /// - Parameters:
  ///   - text: The list.
  ///   - place: Where it is from, for the error.
  /// - Returns: The names, in their order.
  /// - Throws: `ValidationError` that says in which line something else stands.
  static func names(in text: String, of place: String) throws -> [InstrumentName] {
    try text.split(omittingEmptySubsequences: false) { $0.isNewline }.enumerated()
      .compactMap { index, line in
        let word = trimmed(line.prefix { $0 != "#" })
        return word.isEmpty ? nil : try name(String(word), in: "\(place), line \(index + 1)")
      }
  }

  private static func name(_ text: String, in place: String? = nil) throws -> InstrumentName {
    do {
      return try InstrumentName(text)
    } catch {
      throw ValidationError((place.map { "\($0): " } ?? "") + "\(error)")
    }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var rest = text
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest
  }
}
