// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// A column of `ch=quote` as it stands in a line, `,"bid":271.54`: made when the value changes, and
/// copied into each line until then.
struct ColumnText {
  /// The text, and whatever behind it.
  ///
  /// It comes first: ``write(_:to:after:)`` stores by the place of the whole.
  private(set) var text = SIMD32<UInt8>()

  /// How many bytes the text has; 0 if it is longer than there is room for here.
  private(set) var count = 0

  /// Writes text down that is in the program, of at most 32 bytes.
  init(_ parts: StaticString...) {
    for part in parts {
      for index in 0..<part.utf8CodeUnitCount { text[count + index] = part.utf8Start[index] }
      count += part.utf8CodeUnitCount
    }
  }

  /// Writes a value down behind the name that already stands there.
  ///
  /// In its place: to make the text elsewhere and to copy it took four times as long, because a vector
  /// that was just stored in pieces has to wait for them.
  ///
  /// - Parameters:
  ///   - cell: The value.
  ///   - place: The column's text, which begins with its name.
  ///   - name: How many bytes the name has, 14 at most; so there is room for every short value.
  @inline(__always)
  static func write(_ cell: QuoteCell, to place: UnsafeMutablePointer<ColumnText>, after name: Int)
  {
    let room = UnsafeMutableRawPointer(place)
    switch cell {
    case .none:
      room.storeBytes(of: null.littleEndian, toByteOffset: name, as: UInt32.self)
      place.pointee.count = name &+ 4
    case .short(let word, let digits, let isWhole):
      // It already stands there as it is to stand here, but for the point of a whole number.
      room.storeBytes(of: word.littleEndian, toByteOffset: name, as: UInt64.self)
      place.pointee.count = name &+ digits
      guard isWhole else { return }
      room.storeBytes(of: pointZero.littleEndian, toByteOffset: name &+ digits, as: UInt16.self)
      place.pointee.count = name &+ digits &+ 2
    case .number(let number):
      place.pointee.append(number, after: name)
    }
  }

  // The first byte lowest: "null" and ".0".
  private static let null: UInt32 = 0x6C6C_756E
  private static let pointZero: UInt16 = 0x302E

  @inline(never)
  private mutating func append(_ number: Decimal, after name: Int) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Decimal.encodedCapacity) { room in
      guard let start = room.baseAddress else { return }
      let digits = number.encode(into: UnsafeMutableRawPointer(start), minimumFractionDigits: 1)
      guard name + digits <= 32 else {
        count = 0
        return
      }
      for index in 0..<digits { text[name + index] = start[index] }
      count = name + digits
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
