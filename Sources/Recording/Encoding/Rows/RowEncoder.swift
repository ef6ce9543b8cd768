// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON

/// Writes the lines of one channel whose rows are objects of the server's.
///
/// Every value of the object is in the line: in its column, or in `fields` as it came.
struct RowEncoder {
  private let start: LineStart
  private let table: RowTable
  /// `,"name":` of each column.
  private let names: [[UInt8]]

  init(_ table: RowTable, _ start: LineStart) {
    self.table = table
    self.start = start
    names = table.parts.map { Array(",\"\($0.column.name)\":".utf8) }
  }

  /// Appends the line of a row.
  ///
  /// - Parameters:
  ///   - row: The object.
  ///   - context: What else there is to say.
  ///   - record: The record of the message or event.
  ///   - lines: Where to put the line.
  func append(
    _ row: Row,
    _ context: RowContext,
    _ record: EventRecord,
    to lines: inout LineBuffer
  ) {
    var used: [String] = []
    var event = record.tsEvent
    if let found = table.event?(row, context), case .time(let time) = found.cell {
      event = time
      used += found.used
    }
    start.append(seq: record.seq, realtime: record.realtime, event: event, to: &lines)
    for (part, name) in zip(table.parts, names) {
      let found = part.find(row, context)
      lines.append(contentsOf: name)
      found.cell.append(to: &lines, start.time)
      used += found.used
    }
    lines.append(",\"fields\":")
    let rest = row.members.filter { !used.contains($0.key) }
    lines.append(string: JSONValue.object(rest).text)
    lines.append("}\n")
  }
}
