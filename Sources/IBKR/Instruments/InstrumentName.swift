// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// An instrument as a person names it.
///
/// `AAPL` and `BRK B` are stocks or indices, `EUR.USD` is a currency pair, `ESZ6` a future,
/// `AAPL  261218C00250000` an option as the OCC writes it (the spaces may be missing), `265598` a
/// conid; each may be followed by `@` and an exchange.
package struct InstrumentName: Sendable, Hashable {
  /// What kind of name it is, going by its looks.
  enum Kind: Sendable, Hashable {
    case conid(Int)
    case symbol
    case pair(base: String, quote: String)
    case future(FutureSymbol)
    case option(OptionSymbol)
  }

  /// The name without the exchange, in capitals, an option's without spaces.
  package let symbol: String
  /// The exchange that was asked for; nil for any.
  package let exchange: String?
  let kind: Kind

  /// The longest name; no symbol of an exchange comes near.
  private static let longest = 64
  /// What the wire has for itself, or a query.
  private static let reserved = "+{},&?#\"\\%".unicodeScalars

  /// Reads a name.
  ///
  /// - Parameter text: What was typed.
  /// - Throws: ``IbkrError`` with `unknownSymbol` for what cannot be a name.
  package init(_ text: String) throws(IbkrError) {
    let parts = text.uppercased().split(separator: "@", omittingEmptySubsequences: false)
    let isPrintable = text.unicodeScalars.allSatisfy {
      (0x20..<0x7F).contains($0.value) && !Self.reserved.contains($0)
    }
    guard isPrintable, (1...2).contains(parts.count), text.utf8.count <= Self.longest,
      !parts[0].isEmpty, parts.count == 1 || !parts[1].isEmpty && !parts[1].contains(" "),
      let (kind, symbol) = Self.kind(of: parts[0])
    else {
      throw IbkrError(
        .unknownSymbol,
        "'\(ServerWords.sanitized(text))' is neither a symbol nor a conid",
        remedy: Self.forms
      )
    }
    self.kind = kind
    self.symbol = symbol
    exchange = parts.count == 2 ? String(parts[1]) : nil
  }

  /// How names are written.
  package static let forms =
    "write AAPL, AAPL@NASDAQ, EUR.USD, ESZ6@CME, SPX, AAPL261218C00250000, or a conid as 265598"

  /// The conid, if that is what was named.
  package var conid: Int? {
    if case .conid(let conid) = kind { conid } else { nil }
  }

  private static func kind(of text: Substring) -> (Kind, String)? {
    if let option = OptionSymbol(text) { return (.option(option), option.compact) }
    guard isSpacedWell(text) else { return nil }
    let symbol = String(text)
    if text.allSatisfy({ ("0"..."9").contains($0) }) {
      // The ids of contracts have 31 bits, and 0 is none.
      guard let conid = Int32(text), conid > 0 else { return nil }
      return (.conid(Int(conid)), symbol)
    }
    if let future = FutureSymbol(text) { return (.future(future), symbol) }
    let sides = text.split(separator: ".", omittingEmptySubsequences: false)
    if sides.count == 2, sides.allSatisfy(isCurrency) {
      return (.pair(base: String(sides[0]), quote: String(sides[1])), symbol)
    }
    return (.symbol, symbol)
  }

  private static func isCurrency(_ text: Substring) -> Bool {
    text.count == 3 && text.allSatisfy { ("A"..."Z").contains($0) }
  }

  /// Whether there is at most one space, before the letters of a class: `BRK B`, `BAC PRK`.
  private static func isSpacedWell(_ text: Substring) -> Bool {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count > 1 else { return true }
    return words.count == 2 && !words[0].isEmpty && (1...3).contains(words[1].count)
  }
}

extension InstrumentName: CustomStringConvertible {
  /// The name in capitals, with the exchange.
  package var description: String { exchange.map { "\(symbol)@\($0)" } ?? symbol }
}

/// A future as exchanges write it: `ESZ6`, `ESZ26`.
struct FutureSymbol: Sendable, Hashable {
  /// What all months have in common: `ES`.
  let root: String
  /// The month, from 1.
  let month: Int
  /// The last digits of the year: one or two.
  let year: Int
  private let digits: Int

  init?(_ text: Substring) {
    let digits = text.reversed().prefix { ("0"..."9").contains($0) }.count
    guard (1...2).contains(digits), let year = Int(text.suffix(digits)) else { return nil }
    let rest = text.dropLast(digits)
    guard let code = rest.last, let month = ContractMonth.month(of: code) else { return nil }
    let root = rest.dropLast()
    guard (1...6).contains(root.count), root.allSatisfy({ $0.isLetter || $0.isNumber }) else {
      return nil
    }
    self.root = String(root)
    self.month = month
    self.year = year
    self.digits = digits
  }

  /// Whether it means a month: of years it tells the last digits only.
  func matches(_ other: ContractMonth) -> Bool {
    other.month == month && other.year % (digits == 1 ? 10 : 100) == year
  }

  /// The symbol of a root's month: `ESZ6`.
  static func text(_ root: String, _ month: ContractMonth) -> String {
    "\(root)\(month.code)\(month.year % 10)"
  }
}

/// An option as the OCC writes it: root, date, right, and the strike in thousandths.
struct OptionSymbol: Sendable, Hashable {
  /// The trading class: `AAPL`, `SPXW`.
  let root: String
  /// The last day: `20261218`.
  let maturity: String
  let month: ContractMonth
  /// `C` or `P`.
  let right: String
  /// The strike, times a thousand.
  let thousandths: Int

  init?(_ text: Substring) {
    guard text.utf8.count >= 16 else { return nil }
    let tail = text.suffix(15)
    let strike = tail.suffix(8)
    let right = tail.dropLast(8).suffix(1)
    let date = tail.prefix(6)
    var root = text.dropLast(15)
    // The root has six places.
    guard !root.contains(" ") || root.count == 6 else { return nil }
    while root.last == " " { root.removeLast() }
    guard (1...6).contains(root.count), root.allSatisfy({ $0.isLetter || $0.isNumber }),
      right == "C" || right == "P", let thousandths = Int(strike), thousandths > 0,
      Int(date) != nil, let month = ContractMonth(digits: "20\(date)"),
      let day = Int(date.suffix(2)), (1...31).contains(day)
    else { return nil }
    self.root = String(root)
    self.month = month
    self.right = String(right)
    self.thousandths = thousandths
    maturity = "20\(date)"
  }

  /// The strike as the server wants it: `250`, `2.5`.
  var strike: String { Self.strike(thousandths) }

  /// The symbol without spaces.
  var compact: String { Self.text(root, maturity: maturity, right: right, thousandths) }

  static func strike(_ thousandths: Int) -> String {
    let (whole, fraction) = thousandths.quotientAndRemainder(dividingBy: 1_000)
    guard fraction > 0 else { return "\(whole)" }
    var digits = String(String(1_000 + fraction).dropFirst())
    while digits.last == "0" { digits.removeLast() }
    return "\(whole).\(digits)"
  }

  static func text(
    _ root: String,
    maturity: String,
    right: String,
    _ thousandths: Int
  ) -> String {
    let strike = String(thousandths)
    let zeros = String(repeating: "0", count: max(0, 8 - strike.count))
    return root + maturity.suffix(6) + right + zeros + strike
  }
}
