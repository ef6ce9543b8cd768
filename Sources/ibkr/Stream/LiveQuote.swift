// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// The quote of one instrument as a row shows it.
struct LiveQuote: Hashable {
  /// The values, each in its column's place.
  private(set) var values: [Decimal?]
  /// What is to be known of them.
  var flags: QuoteState.Flags = []
  /// When the last message came, on the monotonic clock.
  var arrived: Int64

  /// A quote of which nothing is known but that a message has come.
  init(arrived: Int64) {
    values = Array(repeating: nil, count: QuoteState.Column.allCases.count)
    self.arrived = arrived
  }

  /// The quote of the book.
  init(_ top: TopOfBook) {
    self.init(arrived: top.stamp.monotonic)
    flags = top.flags
    for column in QuoteState.Column.allCases { self[column] = top[column: column] }
  }

  /// The value of a column.
  subscript(column: QuoteState.Column) -> Decimal? {
    get { values[Int(column.rawValue)] }
    set { values[Int(column.rawValue)] = newValue }
  }

  /// The price that a line of prices follows: the last, or where nothing is traded the middle.
  var price: Double? {
    if let last = self[.last] { return last.doubleValue }
    guard let bid = self[.bid], let ask = self[.ask] else { return nil }
    return (bid.doubleValue + ask.doubleValue) / 2
  }
}
