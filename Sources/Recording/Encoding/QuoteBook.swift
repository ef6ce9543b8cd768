// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// The quote of one subscription as of now, and what the last message did to it.
struct QuoteBook: ~Copyable {
  /// The name of the instrument's records.
  let symbol: String

  /// Where its lines go.
  var sheet = CurrentSheet()

  /// The merged values.
  private(set) var state = QuoteState()

  // What the lines have of it, as they have it: made when it changes and not for each line.

  /// The name, as a JSON string.
  private(set) var symbolText = LineBuffer(capacity: 64)

  /// The availability code, as a JSON string or `null`.
  private(set) var availabilityText = LineBuffer(capacity: 64)

  // Owned: allocated in `init`, freed in `deinit`; one for each column, all of them initialised.
  private let columns: UnsafeMutablePointer<ColumnText>

  /// The fields of the last message that have no column, as the members of a JSON object.
  private(set) var others = LineBuffer(capacity: 256)

  /// The names of those fields, as the elements of a JSON array.
  private(set) var otherNames = LineBuffer(capacity: 128)

  // Owned by the shelf that owns the book.
  private let names: UnsafePointer<ColumnText>

  /// Creates a book of which nothing is known.
  ///
  /// - Parameters:
  ///   - symbol: The name of the instrument's records.
  ///   - names: The names of the columns, ``ColumnNames/member``; they must live as long as the book.
  init(_ symbol: String, _ names: UnsafePointer<ColumnText>) {
    self.symbol = symbol
    self.names = names
    symbolText.append(string: symbol)
    availabilityText.append("null")
    columns = .allocate(capacity: QuoteState.Column.allCases.count)
    for column in QuoteState.Column.allCases {
      let place = Int(column.rawValue)
      (columns + place).initialize(to: names[place])
      ColumnText.write(.none, to: columns + place, after: names[place].count)
    }
  }

  deinit { columns.deallocate() }

  /// The columns as they stand in a line, in their order; valid until the next message.
  var columnTexts: UnsafeBufferPointer<ColumnText> {
    UnsafeBufferPointer(start: columns, count: QuoteState.Column.allCases.count)
  }

  /// Forgets every value.
  mutating func clear() {
    state.clear()
    noteAvailability()
    forgetColumns()
  }

  /// Merges a message.
  ///
  /// - Parameters:
  ///   - record: What is known of a market-data message of this subscription.
  ///   - fields: Where its fields stand.
  ///   - message: Its bytes.
  /// - Returns: What it did, nil if it said nothing about the quote.
  mutating func apply(
    _ record: EventRecord,
    _ fields: Span<FieldPlace>,
    of message: UnsafeRawBufferPointer
  ) -> QuoteState.Update? {
    others.removeAll()
    otherNames.removeAll()
    let isUTF8 = record.flags.contains(.utf8)
    let hadAvailability = !state.availability.isEmpty
    let update = state.apply(record, fields, of: message) { [columns, names] column, cell in
      let place = Int(column.rawValue)
      ColumnText.write(cell, to: columns + place, after: names[place].count)
    } other: { id, content, kind in
      let field = MarketDataField(id)
      if !others.isEmpty { others.append(UInt8(ascii: ",")) }
      let start = others.count
      others.append(nameOf: field)
      // An abbreviated value has a column, and is named as that.
      if QuoteState.Column(field: id) == nil {
        if !otherNames.isEmpty { otherNames.append(UInt8(ascii: ",")) }
        others.withBytes { all in
          otherNames.append(contentsOf: UnsafeRawBufferPointer(rebasing: all[start...]))
        }
      }
      others.append(UInt8(ascii: ":"))
      Self.append(content, kind, isUTF8: isUTF8, to: &others)
    }
    guard let update else { return nil }
    if update.forgets { forgetColumns(besides: update.changed) }
    // A new request forgets it.
    let changesAvailability =
      update.changesAvailability || hadAvailability && state.availability.isEmpty
    if changesAvailability { noteAvailability() }
    return update.carriesFields || changesAvailability ? update : nil
  }

  private func forgetColumns(besides known: QuoteState.Columns = []) {
    for column in QuoteState.Column.allCases where !known.contains(QuoteState.Columns(column)) {
      let place = Int(column.rawValue)
      ColumnText.write(.none, to: columns + place, after: names[place].count)
    }
  }

  private mutating func noteAvailability() {
    availabilityText.removeAll()
    if state.availability.isEmpty {
      availabilityText.append("null")
    } else {
      // As it stood in the message, so its escapes are there; it was found in a JSON string.
      availabilityText.append(string: String(decoding: state.availability, as: UTF8.self))
    }
  }

  /// Appends a value as it stood in the message.
  private static func append(
    _ content: UnsafeRawBufferPointer,
    _ kind: JSONKind,
    isUTF8: Bool,
    to text: inout LineBuffer
  ) {
    if kind == .string { text.append(UInt8(ascii: "\"")) }
    if isUTF8 {
      text.append(contentsOf: content)
    } else {
      text.append(contentsOf: Array(String(decoding: content, as: UTF8.self).utf8))
    }
    if kind == .string { text.append(UInt8(ascii: "\"")) }
  }
}

extension LineBuffer {
  /// Appends the name of a field as a JSON string; nothing in it needs an escape.
  fileprivate mutating func append(nameOf field: MarketDataField) {
    append(UInt8(ascii: "\""))
    var name = field.name
    name.withUTF8 { append(contentsOf: UnsafeRawBufferPointer($0)) }
    append(UInt8(ascii: "\""))
  }
}
