// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// A column of a channel whose rows are objects of the server's, and how its cell is found.
struct RowColumn: Sendable {
  /// A cell, and the values of the object that need not be kept anywhere else.
  struct Found {
    var cell = Cell.null
    var used: [String] = []
  }

  /// Finds the cell of a row.
  typealias Find = @Sendable (Row, RowContext) -> Found

  let column: Column
  let find: Find

  init(_ name: String, _ kind: Column.Kind, _ find: @escaping Find) {
    column = Column(name, kind)
    self.find = find
  }

  /// A column that the row's own object has nothing to do with.
  static func given(
    _ name: String,
    _ kind: Column.Kind,
    _ cell: @escaping @Sendable (RowContext) -> Cell
  ) -> RowColumn {
    RowColumn(name, kind) { _, context in Found(cell: cell(context)) }
  }

  /// A number; the first of these values that is one.
  static func decimal(_ name: String, _ values: String...) -> RowColumn {
    RowColumn(name, .decimalOrNull) { row, _ in first(of: values, in: row, Self.decimal) }
  }

  /// A whole number.
  static func integer(_ name: String, _ values: String...) -> RowColumn {
    RowColumn(name, .integerOrNull) { row, _ in
      first(of: values, in: row) { value in
        guard let text = value.string, let number = value.int, String(number) == text else {
          return nil
        }
        return (.integer(Int64(number)), true)
      }
    }
  }

  /// Text, or a number as it was printed.
  static func text(_ name: String, _ values: String...) -> RowColumn {
    RowColumn(name, .stringOrNull) { row, _ in first(of: values, in: row, Self.text) }
  }

  /// A boolean.
  static func flag(_ name: String, _ values: String...) -> RowColumn {
    RowColumn(name, .boolOrNull) { row, _ in
      first(of: values, in: row) { value in value.bool.map { (.flag($0), true) } }
    }
  }

  /// A point in time that the server counts in another unit.
  static func time(_ name: String, _ value: String, unit: Int64) -> RowColumn {
    RowColumn(name, .timeOrNull) { row, _ in
      first(of: [value], in: row) { value in
        guard let count = value.int else { return nil }
        let (time, overflow) = Int64(count).multipliedReportingOverflow(by: unit)
        return overflow ? nil : (.time(time), true)
      }
    }
  }

  static let milliseconds: Int64 = 1_000_000
  static let seconds: Int64 = 1_000_000_000

  /// Text as a cell.
  static func text(_ value: JSONValue) -> (Cell, isWhole: Bool)? {
    guard let text = value.string, !text.isEmpty else { return nil }
    return (.text(text), true)
  }

  /// A number as a cell; what was abbreviated or has a sign behind it has said more than that.
  private static func decimal(_ value: JSONValue) -> (Cell, isWhole: Bool)? {
    guard let text = value.string else { return nil }
    let number = QuoteNumber(text, allowsMark: false)
    return number.decimal.map { (.decimal($0), !number.isAbbreviated && text.last != "%") }
  }

  /// The first value that can be read; others that say the same need not be kept either.
  static func first(
    of names: [String],
    in row: Row,
    _ read: (JSONValue) -> (cell: Cell, isWhole: Bool)?
  ) -> Found {
    var found = Found()
    for name in names {
      guard let value = row.value(name) else { continue }
      if value.isNull {
        found.used.append(name)
        continue
      }
      guard let (cell, isWhole) = read(value) else { continue }
      if found.cell == .null { found.cell = cell }
      if isWhole, found.cell == cell { found.used.append(name) }
    }
    return found
  }
}
