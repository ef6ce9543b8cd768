// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// The books of all subscriptions of a run.
///
/// The books lie behind pointers and not in classes: of each property of a class that is changed by
/// calls the runtime is asked whether somebody else changes it, and a line has a dozen of them. That
/// took an eighth of the time of a quote.
final class QuoteShelf {
  // Owned: allocated in `add`, freed in `deinit`; all of them are initialised.
  private var books: [UInt64: UnsafeMutablePointer<QuoteBook>] = [:]
  // Owned: allocated in `init`, freed in `deinit`; one for each column, all of them initialised.
  private let names: UnsafeMutablePointer<ColumnText>

  /// Without books.
  ///
  /// - Parameter names: The names of the columns.
  init(_ names: ColumnNames) {
    self.names = .allocate(capacity: names.member.count)
    for (place, name) in names.member.enumerated() { (self.names + place).initialize(to: name) }
  }

  deinit {
    for book in books.values {
      book.deinitialize(count: 1)
      book.deallocate()
    }
    names.deallocate()
  }

  /// The book of the subscription that a message belongs to; nil if there is none yet.
  ///
  /// It is valid as long as the shelf is.
  func book(subscription: UInt32, conid: Int) -> UnsafeMutablePointer<QuoteBook>? {
    books[Self.key(subscription, conid)]
  }

  /// Adds a book.
  ///
  /// - Parameters:
  ///   - subscription: The subscription that its messages belong to.
  ///   - conid: The instrument.
  ///   - symbol: The name of the instrument's records.
  /// - Returns: The book, which is valid as long as the shelf is.
  func add(subscription: UInt32, conid: Int, symbol: String) -> UnsafeMutablePointer<QuoteBook> {
    let book = UnsafeMutablePointer<QuoteBook>.allocate(capacity: 1)
    book.initialize(to: QuoteBook(symbol, names))
    books[Self.key(subscription, conid)] = book
    return book
  }

  /// Forgets the values of a subscription, and of messages of its instrument that none was known for.
  func clear(subscription: UInt32, conid: Int) {
    book(subscription: subscription, conid: conid)?.pointee.clear()
    book(subscription: 0, conid: conid)?.pointee.clear()
  }

  /// The subscription's number; of messages that none is known for, the instrument's.
  private static func key(_ subscription: UInt32, _ conid: Int) -> UInt64 {
    subscription != 0 ? UInt64(subscription) : UInt64(bitPattern: Int64(conid)) | 1 << 63
  }
}
