// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What the footer of a Parquet file says of it, read back from the disk.
struct ParquetFooter {
  /// How many rows there are.
  let rows: Int
  /// The whole of it (`FileMetaData` of parquet.thrift).
  let value: ThriftValue

  /// Reads a file's footer, and whether its parts agree.
  ///
  /// - Parameters:
  ///   - file: The file.
  ///   - path: What it is called.
  /// - Throws: `StorageError`, `.damaged` for what is no Parquet file, or says two things at once.
  init(of file: any StorageFile, at path: String) throws(StorageError) {
    let size = try file.byteCount()
    let end = size >= 12 ? try Self.read(8, of: file, at: size - 8) : []
    guard end.count == 8, Array(end[4...]) == Array("PAR1".utf8) else {
      throw StorageError("read", path, reason: "it does not end as a Parquet file does")
    }
    let length = (0..<4).reduce(0) { $0 | Int(end[$1]) << (8 * $1) }
    guard length <= size - 12,
      let value = ThriftValue(try Self.read(length, of: file, at: size - 8 - length)),
      let rows = value[3]?.int, let groups = value[4]?.elements
    else { throw StorageError("read", path, reason: "its footer says nothing") }
    var sum = 0
    for group in groups {
      guard let count = group[3]?.int, let columns = group[1]?.elements else {
        throw StorageError("read", path, reason: "a row group says nothing")
      }
      sum += count
      for column in columns { try Self.check(column, rows: count, size: size, path) }
    }
    guard sum == rows else {
      throw StorageError("read", path, reason: "\(rows) rows, but \(sum) in its row groups")
    }
    self.rows = rows
    self.value = value
  }

  /// A column has a value for each row, or more if it is a list, and lies inside the file.
  private static func check(
    _ column: ThriftValue,
    rows: Int,
    size: Int,
    _ path: String
  ) throws(StorageError) {
    guard let about = column[3], let names = about[3]?.elements, let values = about[5]?.int,
      let bytes = about[7]?.int, let start = about[11]?.int ?? about[9]?.int,
      names.count > 1 ? values >= rows : values == rows, start >= 4, start + bytes <= size - 8
    else { throw StorageError("read", path, reason: "a column of its footer is impossible") }
  }

  private static func read(
    _ count: Int,
    of file: any StorageFile,
    at offset: Int
  ) throws(StorageError) -> [UInt8] {
    var bytes: [UInt8] = []
    try file.forEachChunk(from: offset) { chunk in
      bytes += chunk.prefix(count - bytes.count)
      return bytes.count < count
    }
    return bytes
  }
}
