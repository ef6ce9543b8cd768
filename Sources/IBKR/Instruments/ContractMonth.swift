// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A month in which futures or options end.
struct ContractMonth: Sendable, Hashable, Comparable {
  /// The year, all four digits.
  let year: Int
  /// The month, from 1.
  let month: Int

  /// What exchanges call the months in a future's symbol.
  private static let codes = Array("FGHJKMNQUVXZ")
  private static let names = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
  ]

  init?(year: Int, month: Int) {
    guard (1970...2199).contains(year), (1...12).contains(month) else { return nil }
    self.year = year
    self.month = month
  }

  /// Reads a date or a month as the server writes it: `20261218`, `202612`.
  init?(digits text: String?) {
    guard let text, text.utf8.count == 8 || text.utf8.count == 6,
      let year = Int(text.prefix(4)), let month = Int(text.dropFirst(4).prefix(2))
    else { return nil }
    self.init(year: year, month: month)
  }

  /// Reads a month as the server lists it: `DEC26`.
  init?(name text: some StringProtocol) {
    guard text.utf8.count == 5, let month = Self.names.firstIndex(of: String(text.prefix(3))),
      let year = Int(text.dropFirst(3))
    else { return nil }
    self.init(year: 2_000 + year, month: month + 1)
  }

  /// The number of a month's letter, nil if the letter stands for none.
  static func month(of code: Character) -> Int? { codes.firstIndex(of: code).map { $0 + 1 } }

  /// The letter in the symbol of a future: `Z`.
  var code: Character { Self.codes[month - 1] }

  /// The month as the server wants it: `DEC26`.
  var name: String { Self.names[month - 1] + String(String(year).suffix(2)) }

  /// Months since the year 0, for distances.
  var index: Int { year * 12 + month - 1 }

  /// The month so many months later, nil if it is none that anything ends in.
  func advanced(by months: Int) -> ContractMonth? {
    ContractMonth(year: (index + months) / 12, month: (index + months) % 12 + 1)
  }

  static func < (first: ContractMonth, second: ContractMonth) -> Bool {
    first.index < second.index
  }
}
