// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Rows on their way into a file of comma-separated values (RFC 4180).
///
/// Numbers and times stand there with the digits that the line has. A value that is null is an empty
/// field, an empty text is `""`; a list is its JSON.
final class CSVTable: ExportTable {
  /// Where the bytes go.
  enum Output {
    case file(ExportDraft)
    /// Whoever takes them, as standard output does.
    case stream((UnsafeRawBufferPointer) throws(StorageError) -> Void)
  }

  let roundedNumbers = 0

  private let output: Output
  private let columns: [Column]
  private var lines = LineBuffer(capacity: 256 << 10)
  private var scratch = LineBuffer()
  // What went to a stream cannot be read again, so it is counted on the way.
  private var passing = CSVRecordCounter()

  /// Begins with the names of the columns.
  ///
  /// - Parameters:
  ///   - channel: What there are rows of.
  ///   - output: Where they go.
  /// - Throws: `StorageError`.
  init(_ channel: Channel, to output: Output) throws(StorageError) {
    self.output = output
    columns = channel.columns
    for (index, column) in columns.enumerated() {
      if index > 0 { lines.append(UInt8(ascii: ",")) }
      lines.append(contentsOf: Array(column.name.utf8))
    }
    lines.append("\r\n")
    if case .stream = output { try flush() }
  }

  func append(_ row: ExportRow) throws(StorageError) {
    for (index, column) in columns.enumerated() {
      if index > 0 { lines.append(UInt8(ascii: ",")) }
      guard !row.isNull(index) else { continue }
      switch column.kind {
      case .string, .stringOrNull:
        row.withText(index, &scratch) { text in Self.append(field: text, to: &lines) }
      case .strings, .integers: Self.append(field: row.bytes(index), to: &lines)
      default: lines.append(contentsOf: row.bytes(index))
      }
    }
    lines.append("\r\n")
    if lines.count >= 256 << 10 { try flush() }
  }

  private static func append(field: UnsafeRawBufferPointer, to lines: inout LineBuffer) {
    let needsQuotes =
      field.isEmpty
      || field.contains { byte in
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: ",") || byte == 0x0A || byte == 0x0D
      } || field.first == 0x20 || field.last == 0x20
    guard needsQuotes else { return lines.append(contentsOf: field) }
    lines.append(UInt8(ascii: "\""))
    lines.append(atMost: 2 * field.count) { room in
      var count = 0
      for byte in field {
        if byte == UInt8(ascii: "\"") {
          room[count] = byte
          count += 1
        }
        room[count] = byte
        count += 1
      }
      return count
    }
    lines.append(UInt8(ascii: "\""))
  }

  private func flush() throws(StorageError) {
    switch output {
    case .file(let draft):
      try lines.withBytes { bytes throws(StorageError) in try draft.file.writeAll(bytes) }
    case .stream(let write):
      try lines.withBytes { bytes throws(StorageError) in
        try write(bytes)
        passing.take(bytes)
      }
    }
    lines.removeAll()
  }

  func finish() throws(StorageError) -> (rows: Int, bytes: Int) {
    try flush()
    guard case .file(let draft) = output else { return (passing.records - 1, passing.bytes) }
    var counter = CSVRecordCounter()
    try draft.synchronize().forEachChunk { chunk in
      counter.take(chunk)
      return true
    }
    return (counter.records - 1, counter.bytes)
  }

  func publish() throws(StorageError) {
    if case .file(let draft) = output { try draft.publish() }
  }

  func discard() {
    if case .file(let draft) = output { draft.discard() }
  }
}

/// Counts the records of comma-separated values, the names of the columns included.
struct CSVRecordCounter {
  /// How many records have ended.
  private(set) var records = 0
  /// How many bytes there were.
  private(set) var bytes = 0

  private var isQuoted = false

  /// Takes the next bytes.
  mutating func take(_ piece: UnsafeRawBufferPointer) {
    bytes += piece.count
    for byte in piece {
      // Two quotes inside a field end it and begin it again.
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if byte == 0x0A, !isQuoted { records += 1 }
    }
  }
}
