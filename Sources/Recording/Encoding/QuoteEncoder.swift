// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Writes the lines of `ch=quote`: the merged quote of one instrument after each of its messages.
struct QuoteEncoder {
  private let start: LineStart

  init(_ start: LineStart) {
    self.start = start
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
    _ book: QuoteBook,
    to lines: inout LineBuffer
  ) {
    // Once: every look through the book copies the state and counts its references.
    let state = book.state
    start.append(seq: record.seq, realtime: record.realtime, event: record.tsEvent, to: &lines)
    lines.append(",\"conid\":")
    lines.append(Int64(record.conid))
    lines.append(",\"symbol\":")
    lines.append(string: book.symbol)
    lines.append(",\"snapshot\":")
    lines.append(update.isSnapshot)
    for column in QuoteState.Column.allCases {
      lines.append(",\"")
      lines.append(column.name)
      lines.append("\":")
      lines.append(orNull: state[column])
    }
    appendChanged(update.changed, book.otherNames, to: &lines)
    appendFlags(update.flags, to: &lines)
    lines.append(",\"avail\":")
    if state.availability.isEmpty {
      lines.append("null")
    } else {
      // As it stood in the message, so its escapes are there; it was found in a JSON string.
      lines.append(string: String(decoding: state.availability, as: UTF8.self))
    }
    lines.append(",\"fields\":\"{")
    book.others.withBytes { lines.append(escaping: $0) }
    lines.append("}\"}\n")
  }

  private func appendChanged(
    _ changed: QuoteState.Columns,
    _ others: [String],
    to lines: inout LineBuffer
  ) {
    lines.append(",\"changed\":[")
    var separator: StaticString = "\""
    for column in QuoteState.Column.allCases where changed.contains(.init(column)) {
      lines.append(separator)
      lines.append(column.name)
      separator = "\",\""
    }
    for name in others {
      lines.append(separator)
      lines.append(contentsOf: Array(name.utf8))
      separator = "\",\""
    }
    if separator.utf8CodeUnitCount > 1 { lines.append(UInt8(ascii: "\"")) }
    lines.append("]")
  }

  private func appendFlags(_ flags: QuoteState.Flags, to lines: inout LineBuffer) {
    lines.append(",\"flags\":[")
    var separator: StaticString = "\""
    for (flag, name) in Self.flags where flags.contains(flag) {
      lines.append(separator)
      lines.append(name)
      separator = "\",\""
    }
    if separator.utf8CodeUnitCount > 1 { lines.append(UInt8(ascii: "\"")) }
    lines.append("]")
  }

  private static let flags: [(QuoteState.Flags, StaticString)] = [
    (.lastIsClose, "last_close"), (.lastIsHalted, "last_halted"), (.delayed, "delayed"),
    (.frozen, "frozen"), (.notSubscribed, "not_subscribed"), (.duplicate, "duplicate"),
    (.late, "late"),
  ]
}
