// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// Rows on their way into a Parquet file.
final class ParquetTable: ExportTable {
  private let draft: ExportDraft
  private let parquet: ParquetFile
  private let columns: [Column]
  private let isExact: Bool
  private var scratch = LineBuffer()
  // The text of each number in the row before.
  private var numbers: [[UInt8]]

  private(set) var roundedNumbers = 0

  /// Begins a file.
  ///
  /// - Parameters:
  ///   - channel: What it has rows of.
  ///   - draft: The file.
  ///   - isExact: Whether decimal numbers are DECIMAL instead of DOUBLE.
  /// - Throws: `StorageError`.
  init(_ channel: Channel, to draft: ExportDraft, isExact: Bool) throws(StorageError) {
    self.draft = draft
    self.isExact = isExact
    columns = channel.columns
    numbers = columns.map { _ in [] }
    parquet = try ParquetFile(
      ParquetSchema(columns, isExact: isExact),
      metadata: [("ibkr.channel", channel.rawValue), ("ibkr.v", "1")],
      to: draft.file
    )
  }

  func append(_ row: ExportRow) throws(StorageError) {
    try parquet.append { chunks throws(StorageError) in
      for (index, column) in columns.enumerated() {
        try append(row, index, column.kind, to: chunks[index])
      }
    }
  }

  private func append(
    _ row: ExportRow,
    _ index: Int,
    _ kind: Column.Kind,
    to chunk: ParquetChunk
  ) throws(StorageError) {
    if row.isNull(index) { return chunk.appendNull() }
    switch kind {
    case .integer, .integerOrNull: if let number = row.integer(index) { chunk.append(number) }
    case .time, .timeOrNull: if let time = row.time(index) { chunk.append(time) }
    case .bool, .boolOrNull: chunk.append(row.flag(index))
    case .string, .stringOrNull: row.withText(index, &scratch) { chunk.append($0) }
    case .decimalOrNull: try append(number: row.bytes(index), index, to: chunk)
    case .strings, .integers: append(listOf: row, index, to: chunk)
    }
  }

  private func append(
    number text: UnsafeRawBufferPointer,
    _ index: Int,
    to chunk: ParquetChunk
  ) throws(StorageError) {
    // Most values are those of the row before.
    if numbers[index].elementsEqual(text), chunk.repeatLast() { return }
    numbers[index].removeAll(keepingCapacity: true)
    guard let number = Decimal(text) else {
      throw tooLong(text, index, "DOUBLE")
    }
    if isExact {
      guard let units = number.units(at: ParquetSchema.decimal.scale) else {
        throw tooLong(text, index, "DECIMAL(38, 12)")
      }
      chunk.append(units: units)
    } else {
      let (value, isSame) = number.double
      // Counted each time that it comes.
      if !isSame {
        roundedNumbers += 1
        return chunk.append(value)
      }
      chunk.append(value)
    }
    numbers[index].append(contentsOf: text)
  }

  private func tooLong(
    _ text: UnsafeRawBufferPointer,
    _ index: Int,
    _ type: String
  ) -> StorageError {
    let digits = String(decoding: text.prefix(60), as: UTF8.self)
    return StorageError(
      "write",
      draft.path,
      reason: "\(columns[index].name) \(digits) does not fit into a \(type); CSV keeps every digit"
    )
  }

  private func append(listOf row: ExportRow, _ index: Int, to chunk: ParquetChunk) {
    var isFirst = true
    row.forEachElement(index) { element in
      switch element {
      case .integer(let number): chunk.append(number)
      case .text(let bytes, hasEscapes: false): chunk.append(bytes)
      case .text(let bytes, hasEscapes: true):
        ExportRow.withText(bytes, &scratch) { chunk.append($0) }
      }
      chunk.markElement(isFirst: isFirst)
      isFirst = false
    }
    if isFirst { chunk.appendEmptyList() }
  }

  func finish() throws(StorageError) -> (rows: Int, bytes: Int) {
    try parquet.finish()
    let file = try draft.synchronize()
    return (try ParquetFooter(of: file, at: draft.path).rows, try file.byteCount())
  }

  func publish() throws(StorageError) { try draft.publish() }

  func discard() { draft.discard() }
}

extension Decimal {
  /// The nearest floating-point number, and whether its shortest digits are these.
  ///
  /// Up to 15 digits they always are: whoever prints the number reads what was recorded.
  var double: (value: Double, isSame: Bool) {
    let digits = mantissa.magnitude
    // Both are exact, so the one division or product is rounded once (Clinger's fast path).
    if digits < 1 << 53, -22...22 ~= exponent {
      let whole = Double(Int64(truncatingIfNeeded: mantissa))
      let power = Self.powers[abs(exponent)]
      let value = exponent < 0 ? whole / power : whole * power
      if digits < 1_000_000_000_000_000 { return (value, true) }
      return (value, Decimal("\(value)") == self)
    }
    let value = doubleValue
    return (value, Decimal("\(value)") == self)
  }

  private static let powers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  /// The number in units of a place behind the point.
  ///
  /// - Parameter scale: How many places there are.
  /// - Returns: nil if it has more places, or more than 38 digits.
  func units(at scale: Int) -> Int128? {
    var (digits, power) = (mantissa, exponent + scale)
    guard digits != 0 else { return 0 }
    while power < 0 {
      guard digits % 10 == 0 else { return nil }
      digits /= 10
      power += 1
    }
    guard power <= 38 else { return nil }
    for _ in 0..<power {
      let (product, overflow) = digits.multipliedReportingOverflow(by: 10)
      guard !overflow else { return nil }
      digits = product
    }
    return digits.magnitude < Self.limit ? digits : nil
  }

  /// Ten to the power of 38.
  private static let limit: UInt128 = (0..<38).reduce(1) { power, _ in power * 10 }
}
