// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Rows for a person, in columns as wide as what is in them.
struct TextTable {
  /// On which side of its column a text stands.
  enum Side {
    case left, right
  }

  private let sides: [Side]
  private var rows: [[String]]

  /// Begins a table.
  ///
  /// - Parameter columns: The head of each column, and on which side its texts stand.
  init(_ columns: [(head: String, side: Side)]) {
    sides = columns.map(\.side)
    rows = [columns.map(\.head)]
  }

  /// Adds a row with a text for each column.
  mutating func append(_ row: [String]) {
    rows.append(row)
  }

  /// The table, a line for each row.
  var text: String {
    let widths = sides.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, text) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - text.count)
        line += sides[column] == .left ? text + padding : padding + text
        line += "  "
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }
    .joined()
  }
}
