// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// A month in which contracts end.
struct Month: Sendable, Hashable {
  /// Months since January 2020, from 0.
  let index: Int

  private static let codes = Array("FGHJKMNQUVXZ")
  private static let names = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
  ]
  /// So many are told apart.
  static let count = 480

  /// The month of a number, nil beyond 2059.
  init?(index: Int) {
    guard (0..<Self.count).contains(index) else { return nil }
    self.index = index
  }

  /// The month of a moment.
  init?(of now: Timestamp) {
    let (year, month, _) = UTCDate(realtime: now.realtime).civil
    self.init(index: Int(year - 2_020) * 12 + Int(month) - 1)
  }

  /// The month of a name: `DEC26`.
  init?(name: String) {
    guard let month = Self.names.firstIndex(of: String(name.prefix(3)).uppercased()),
      let year = Int(name.dropFirst(3))
    else { return nil }
    self.init(index: (year - 20) * 12 + month)
  }

  var year: Int { 2_020 + index / 12 }
  private var number: Int { index % 12 }
  /// The letter in the symbol of a future.
  var code: Character { Self.codes[number] }
  /// The month as a search lists it: `DEC26`.
  var name: String { Self.names[number] + String(year).suffix(2) }
  /// The month as the details of a contract have it: `202612`.
  var digits: String { "\(year)" + String(String(101 + number).dropFirst()) }

  /// The n-th Friday, as `20261218`; 3 is the day on which most derivatives end.
  func friday(_ count: Int) -> String {
    let first = UTCDate(year: Int64(year), month: Int64(number + 1), day: 1)?.weekday ?? 0
    let day = 1 + (5 - Int(first) + 7) % 7 + (count - 1) * 7
    return digits + String(String(100 + day).dropFirst())
  }

  /// The months from one on, each so many after the one before.
  func following(_ count: Int, every step: Int = 1) -> [Month] {
    (0..<count).compactMap { Month(index: index + $0 * step) }
  }
}
