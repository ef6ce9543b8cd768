// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// A column of `ch=quote` as it stands in a line, `,"bid":271.54`: made when the value changes, and
/// copied into each line until then.
struct ColumnText {
  /// The text, and whatever behind it.
  private(set) var text: SIMD32<UInt8>

  /// How many bytes the text has; 0 if it is longer than there is room for here.
  private(set) var count: Int

  /// Writes a value down.
  ///
  /// - Parameters:
  ///   - name: The column's name, ``ColumnNames/member``.
  ///   - cell: Its value.
  init(_ name: ColumnText, _ cell: QuoteCell) {
    (text, count) = (name.text, name.count)
    switch cell {
    case .none: append("null")
    case .short(let word, let digits, let isWhole):
      // It already stands there as it is to stand here, but for the point of a whole number.
      append(word, digits)
      if isWhole { append(".0") }
    case .number(let number): append(number)
    }
  }

  /// Writes text down that is in the program, of at most 32 bytes.
  init(_ parts: StaticString...) {
    (text, count) = (SIMD32(), 0)
    for part in parts { append(part) }
  }

  private mutating func append(_ part: StaticString) {
    withUnsafeMutableBytes(of: &text) { room in
      for index in 0..<part.utf8CodeUnitCount { room[count + index] = part.utf8Start[index] }
    }
    count += part.utf8CodeUnitCount
  }

  /// Appends the first bytes of a word; the names have fourteen at most, so that there is room.
  @inline(__always)
  private mutating func append(_ word: UInt64, _ digits: Int) {
    withUnsafeMutableBytes(of: &text) { room in
      room.storeBytes(of: word.littleEndian, toByteOffset: count, as: UInt64.self)
    }
    count &+= digits
  }

  private mutating func append(_ number: Decimal) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Decimal.encodedCapacity) { room in
      guard let start = room.baseAddress else { return }
      let digits = number.encode(into: UnsafeMutableRawPointer(start), minimumFractionDigits: 1)
      guard count + digits <= 32 else {
        count = 0
        return
      }
      for index in 0..<digits { text[count + index] = start[index] }
      count += digits
    }
  }

  /// The room that ``put(_:_:to:)`` needs.
  static let capacity = 32 + Decimal.encodedCapacity

  /// Stores a column whose value is too long for a text.
  static func put(_ name: ColumnText, _ number: Decimal, to line: inout LineCursor) {
    line.put(name.text, count: name.count)
    line.put(number)
  }
}

/// The names of the columns of ``QuoteState`` as they stand in lines, in their order.
struct ColumnNames: Sendable {
  /// Before a value: `,"bid":`.
  let member: [ColumnText]
  /// In a list: `"bid",`.
  let element: [ColumnText]

  init() {
    member = QuoteState.Column.allCases.map { ColumnText(",\"", $0.name, "\":") }
    element = QuoteState.Column.allCases.map { ColumnText("\"", $0.name, "\",") }
  }
}
