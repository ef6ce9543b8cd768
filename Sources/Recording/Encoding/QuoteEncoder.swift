// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// Writes the lines of `ch=quote`: the merged quote of one instrument after each of its messages.
struct QuoteEncoder {
  private let start: LineStart
  private let names: ColumnNames

  init(_ start: LineStart, _ names: ColumnNames) {
    self.start = start
    self.names = names
  }

  /// Appends the line of a message.
  ///
  /// - Parameters:
  ///   - record: The message's record.
  ///   - update: What it did.
  ///   - book: The quote after it.
  ///   - lines: Where to put the line.
  func append(
    _ record: EventRecord,
    _ update: QuoteState.Update,
    _ book: borrowing QuoteBook,
    to lines: inout LineBuffer
  ) {
    lines.append(atMost: capacity(for: book)) { room in
      var line = LineCursor(room)
      start.put(seq: record.seq, realtime: record.realtime, event: record.tsEvent, to: &line)
      line.put(",\"conid\":")
      line.put(Int64(record.conid))
      line.put(",\"symbol\":")
      book.symbolText.withBytes { line.put($0) }
      line.put(",\"snapshot\":")
      line.put(update.isSnapshot)
      for (place, text) in book.columnTexts.enumerated() {
        if text.count > 0 {
          line.put(text.text, count: text.count)
        } else if let number = QuoteState.Column(rawValue: UInt8(place)).flatMap({ book.state[$0] })
        {
          ColumnText.put(names.member[place], number, to: &line)
        }
      }
      putChanged(update.changed, book, to: &line)
      putFlags(update.flags, to: &line)
      line.put(",\"avail\":")
      book.availabilityText.withBytes { line.put($0) }
      line.put(",\"fields\":\"{")
      book.others.withBytes { line.put(escaping: $0) }
      line.put("}\"}\n")
      return line.count
    }
  }

  /// The most bytes that a line can have, and some behind them.
  private func capacity(for book: borrowing QuoteBook) -> Int {
    let long = book.columnTexts.count { $0.count == 0 }
    // The names of the members and of all flags, the instrument's number, and the columns: with a
    // value each, and named as changed.
    return start.capacity + 320 + names.member.count * 2 * 32 + long * ColumnText.capacity
      + book.symbolText.count + book.availabilityText.count + book.otherNames.count
      + JSONString.escapedCapacity(for: book.others.count)
  }

  private func putChanged(
    _ changed: QuoteState.Columns,
    _ book: borrowing QuoteBook,
    to line: inout LineCursor
  ) {
    line.put(",\"changed\":[")
    var rest = changed.rawValue
    while rest != 0 {
      let name = names.element[rest.trailingZeroBitCount]
      // Without the comma where it is the last of all.
      let isLast = rest & (rest &- 1) == 0 && book.otherNames.isEmpty
      line.put(name.text, count: isLast ? name.count - 1 : name.count)
      rest &= rest &- 1
    }
    book.otherNames.withBytes { line.put($0) }
    line.put(UInt8(ascii: "]"))
  }

  private func putFlags(_ flags: QuoteState.Flags, to line: inout LineCursor) {
    if flags.isEmpty { return line.put(",\"flags\":[]") }
    line.put(",\"flags\":[")
    var separator: StaticString = "\""
    for (flag, name) in Self.flags where flags.contains(flag) {
      line.put(separator)
      line.put(name)
      separator = "\",\""
    }
    line.put("\"]")
  }

  private static let flags: [(QuoteState.Flags, StaticString)] = [
    (.lastIsClose, "last_close"), (.lastIsHalted, "last_halted"), (.delayed, "delayed"),
    (.frozen, "frozen"), (.notSubscribed, "not_subscribed"), (.duplicate, "duplicate"),
    (.late, "late"),
  ]
}
