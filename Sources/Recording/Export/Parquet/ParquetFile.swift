// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Writes a Parquet file with one column for each of a channel's (github.com/apache/parquet-format).
///
/// It is our own because no package for Swift that can be had writes Parquet, and Arrow's C++
/// library, which does, is in no Debian: it would be a hundred megabytes of somebody else's packages
/// for what a flat table needs, which is here. Rows are gathered into row groups of at most 131,072
/// rows or 32 MiB, so memory is flat; each column of one is a page of definition levels and values,
/// with a dictionary where values repeat, compressed as gzip by the zlib that is linked anyway.
final class ParquetFile {
  private let schema: ParquetSchema
  private let file: any StorageFile
  private let chunks: [ParquetChunk]
  private let compressor: PageCompressor
  private let metadata: [(key: String, value: String)]

  // The row groups' metadata, which the footer ends with.
  private var groups = ThriftWriter()
  private var groupCount = 0
  private var rows = 0
  private var groupRows = 0
  private var offset = 0

  /// What a row group has at most.
  private let mostRows: Int
  private static let mostBytes = 32 << 20
  static let rowsOfGroup = 131_072
  private static let magic = Array("PAR1".utf8)

  /// Begins a file.
  ///
  /// - Parameters:
  ///   - schema: Its columns.
  ///   - metadata: What else the footer says.
  ///   - file: An empty file.
  ///   - mostRows: How many rows a row group has at most.
  /// - Throws: `StorageError`.
  init(
    _ schema: ParquetSchema,
    metadata: [(key: String, value: String)],
    to file: any StorageFile,
    mostRows: Int = ParquetFile.rowsOfGroup
  ) throws(StorageError) {
    self.schema = schema
    self.metadata = metadata
    self.file = file
    self.mostRows = mostRows
    chunks = schema.leaves.map { ParquetChunk($0) }
    compressor = try PageCompressor()
    try write(Self.magic)
  }

  /// Adds a row; `body` adds a value, a null or a list to each column.
  ///
  /// - Throws: What `body` throws; then the file is of no use. `StorageError` if the disk refuses.
  func append(_ body: ([ParquetChunk]) throws(StorageError) -> Void) throws(StorageError) {
    try body(chunks)
    groupRows += 1
    if groupRows >= mostRows || groupRows & 0xFF == 0 && isLarge { try endGroup() }
  }

  private var isLarge: Bool { chunks.reduce(0) { $0 + $1.byteCount } > Self.mostBytes }

  /// Writes the rest and the footer.
  ///
  /// - Throws: `StorageError`.
  func finish() throws(StorageError) {
    try endGroup()
    var footer = ThriftWriter()
    footer.field(1, int32: 2)  // the format's version that has nanoseconds
    schema.write(2, to: &footer)
    footer.field(3, int64: rows)
    footer.list(4, of: .structure, count: groupCount)
    footer.append(groups.bytes)
    footer.list(5, of: .structure, count: metadata.count)
    for (key, value) in metadata {
      footer.structure { pair in
        pair.field(1, text: key)
        pair.field(2, text: value)
      }
    }
    footer.field(6, text: "ibkr-stream")
    // Least and greatest values are in the order that each type defines.
    footer.list(7, of: .structure, count: schema.leaves.count)
    for _ in schema.leaves { footer.structure { order in order.field(1) { _ in } } }
    footer.endStructure()
    var end = LineBuffer()
    footer.bytes.withBytes { end.append(contentsOf: $0) }
    end.append(littleEndian: UInt32(truncatingIfNeeded: footer.bytes.count))
    end.append(contentsOf: Self.magic)
    try write(end)
  }

  private func endGroup() throws(StorageError) {
    guard groupRows > 0 else { return }
    let start = offset
    var written: [Written] = []
    for chunk in chunks { written.append(try write(chunk)) }
    groups.structure { group in
      group.list(1, of: .structure, count: chunks.count)
      for (chunk, pages) in zip(chunks, written) { Self.write(pages, of: chunk, to: &group) }
      group.field(2, int64: written.reduce(0) { $0 + $1.rawBytes })
      group.field(3, int64: groupRows)
      group.field(5, int64: start)
      group.field(6, int64: offset - start)
    }
    groupCount += 1
    rows += groupRows
    groupRows = 0
    for chunk in chunks { chunk.removeAll() }
  }

  // MARK: - Pages

  /// Where the pages of a column are.
  private struct Written {
    var dictionaryOffset: Int?
    var dataOffset = 0
    var rawBytes = 0
    var bytes = 0
    var encoding = ParquetEncoding.plain
  }

  private func write(_ chunk: ParquetChunk) throws(StorageError) -> Written {
    var written = Written()
    let start = offset
    if let page = chunk.dictionaryPage {
      written.dictionaryOffset = offset
      written.rawBytes += try write(page, type: 2) { header in
        header.field(7) { dictionary in
          dictionary.field(1, int32: page.count)
          dictionary.field(2, int32: ParquetEncoding.plain.rawValue)
        }
      }
    }
    let page = chunk.dataPage
    written.dataOffset = offset
    written.encoding = page.encoding
    written.rawBytes += try write(page, type: 0) { header in
      header.field(5) { data in
        data.field(1, int32: page.count)
        data.field(2, int32: page.encoding.rawValue)
        data.field(3, int32: ParquetEncoding.runs.rawValue)
        data.field(4, int32: ParquetEncoding.runs.rawValue)
      }
    }
    written.bytes = offset - start
    return written
  }

  /// Writes a page behind its header.
  ///
  /// - Returns: How many bytes both have when nothing is compressed.
  private func write(
    _ page: borrowing ParquetChunk.Page,
    type: Int,
    _ body: (inout ThriftWriter) -> Void
  ) throws(StorageError) -> Int {
    var packed = LineBuffer()
    try compressor.append(page.bytes, to: &packed)
    var header = ThriftWriter()
    header.field(1, int32: type)
    header.field(2, int32: page.bytes.count)
    header.field(3, int32: packed.count)
    header.field(4, int32: Int(Int32(bitPattern: packed.withBytes { PageCompressor.checksum($0) })))
    body(&header)
    header.endStructure()
    try write(header.bytes)
    try write(packed)
    return header.bytes.count + page.bytes.count
  }

  private static func write(
    _ pages: Written,
    of chunk: ParquetChunk,
    to group: inout ThriftWriter
  ) {
    let leaf = chunk.leaf
    group.structure { column in
      column.field(2, int64: 0)  // no metadata but these
      column.field(3) { about in
        about.field(1, int32: leaf.type.rawValue)
        let encodings = Set([.runs, .plain, pages.encoding].map(\ParquetEncoding.rawValue))
        about.list(2, of: .int32, count: encodings.count)
        for encoding in encodings.sorted() { about.element(int32: encoding) }
        about.list(3, of: .binary, count: leaf.path.count)
        for name in leaf.path { about.element(text: name) }
        about.field(4, int32: 2)  // gzip
        about.field(5, int64: chunk.slotCount)
        about.field(6, int64: pages.rawBytes)
        about.field(7, int64: pages.bytes)
        about.field(9, int64: pages.dataOffset)
        if let offset = pages.dictionaryOffset { about.field(11, int64: offset) }
        about.field(12) { statistics in
          if !leaf.isList { statistics.field(3, int64: chunk.nullCount) }
          if let bounds = chunk.range.bounds {
            statistics.field(5, binary: bounds.greatest)
            statistics.field(6, binary: bounds.least)
          }
        }
      }
    }
  }

  private func write(_ bytes: [UInt8]) throws(StorageError) {
    var buffer = LineBuffer()
    buffer.append(contentsOf: bytes)
    try write(buffer)
  }

  private func write(_ bytes: borrowing LineBuffer) throws(StorageError) {
    try bytes.withBytes { bytes throws(StorageError) in try file.writeAll(bytes) }
    offset += bytes.count
  }
}
