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
    start.append(seq: record.seq, realtime: record.realtime, event: record.tsEvent, to: &lines)
    lines.append(",\"conid\":")
    lines.append(Int64(record.conid))
    lines.append(",\"symbol\":")
    book.symbolText.withBytes { lines.append(contentsOf: $0) }
    lines.append(",\"snapshot\":")
    lines.append(update.isSnapshot)
    // Once: every look through the book copies the state.
    let state = book.state
    for column in Self.columns {
      lines.append(",\"")
      lines.append(column.name)
      lines.append("\":")
      lines.append(state.cell(column))
    }
    appendChanged(update.changed, book, to: &lines)
    appendFlags(update.flags, to: &lines)
    lines.append(",\"avail\":")
    book.availabilityText.withBytes { lines.append(contentsOf: $0) }
    lines.append(",\"fields\":\"{")
    book.others.withBytes { lines.append(escaping: $0) }
    lines.append("}\"}\n")
  }

  private func appendChanged(
    _ changed: QuoteState.Columns,
    _ book: QuoteBook,
    to lines: inout LineBuffer
  ) {
    lines.append(",\"changed\":[")
    var rest = changed.rawValue
    while rest != 0 {
      lines.append(UInt8(ascii: "\""))
      lines.append(Self.columns[rest.trailingZeroBitCount].name)
      lines.append(UInt8(ascii: "\""))
      rest &= rest &- 1
      if rest != 0 || !book.otherNames.isEmpty { lines.append(UInt8(ascii: ",")) }
    }
    book.otherNames.withBytes { lines.append(contentsOf: $0) }
    lines.append("]")
  }

  private func appendFlags(_ flags: QuoteState.Flags, to lines: inout LineBuffer) {
    if flags.isEmpty { return lines.append(",\"flags\":[]") }
    lines.append(",\"flags\":[")
    var separator: StaticString = "\""
    for (flag, name) in Self.flags where flags.contains(flag) {
      lines.append(separator)
      lines.append(name)
      separator = "\",\""
    }
    lines.append("\"]")
  }

  private static let columns = QuoteState.Column.allCases

  private static let flags: [(QuoteState.Flags, StaticString)] = [
    (.lastIsClose, "last_close"), (.lastIsHalted, "last_halted"), (.delayed, "delayed"),
    (.frozen, "frozen"), (.notSubscribed, "not_subscribed"), (.duplicate, "duplicate"),
    (.late, "late"),
  ]
}

extension LineBuffer {
  /// Appends `null` or a number in plain digits, always with a point.
  ///
  /// What is short already stands there as it is to stand here, but for the point of a whole number.
  fileprivate mutating func append(_ cell: QuoteCell) {
    guard case .short(let word, let count, let isWhole) = cell else {
      return append(orNull: cell.decimal)
    }
    append(atMost: 16) { room in
      let room = UnsafeMutableRawPointer(room)
      room.storeBytes(of: word.littleEndian, as: UInt64.self)
      guard isWhole else { return count }
      room.storeBytes(of: UInt8(ascii: "."), toByteOffset: count, as: UInt8.self)
      room.storeBytes(of: UInt8(ascii: "0"), toByteOffset: count &+ 1, as: UInt8.self)
      return count &+ 2
    }
  }
}
