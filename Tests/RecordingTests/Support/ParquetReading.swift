// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import CZlib
import Testing

@testable import Recording

/// Reads the values of a Parquet file as the format's specification says, and not as the writer does.
struct ParquetReading {
  enum Value: Hashable {
    case integer(Int64)
    case double(UInt64)
    case bytes([UInt8])
    case flag(Bool)
    case null
  }

  struct Column {
    var name = ""
    /// A list for each row; of columns that are no list it has one element.
    var rows: [[Value]] = []
    var encodings: Set<Int> = []
    var least: [UInt8]?
    var greatest: [UInt8]?
    var nulls = 0
  }

  struct Broken: Error {}

  private(set) var columns: [Column] = []
  private(set) var rowGroups: [Int] = []

  init(_ file: [UInt8], _ schema: ParquetSchema) throws {
    guard file.starts(with: "PAR1".utf8), Array(file.suffix(4)) == Array("PAR1".utf8) else {
      throw Broken()
    }
    let length = Int(Self.word(file, file.count - 8))
    let footer = try #require(ThriftValue(Array(file[(file.count - 8 - length)...])))
    columns = schema.leaves.map { Column(name: $0.name) }
    for group in footer[4]?.elements ?? [] {
      rowGroups.append(group[3]?.int ?? -1)
      for (index, leaf) in schema.leaves.enumerated() {
        let about = try #require(group[1]?.elements?[index][3])
        #expect(about[3]?.elements == leaf.path.map { .binary(Array($0.utf8)) })
        columns[index].nulls += about[12]?[3]?.int ?? 0
        if let most = about[12]?[5]?.bytes, columns[index].greatest == nil {
          (columns[index].greatest, columns[index].least) = (most, about[12]?[6]?.bytes)
        }
        try read(about, leaf, of: file, into: &columns[index])
      }
    }
  }

  private func read(
    _ about: ThriftValue,
    _ leaf: ParquetSchema.Leaf,
    of file: [UInt8],
    into column: inout Column
  ) throws {
    var dictionary: [Value] = []
    if let offset = about[11]?.int {
      let (header, body) = try page(at: offset, of: file)
      #expect(header[1]?.int == 2)
      dictionary = try plain(body[...], count: header[7]?[1]?.int ?? 0, leaf)
    }
    let (header, body) = try page(at: try #require(about[9]?.int), of: file)
    let count = try #require(header[5]?[1]?.int)
    let encoding = try #require(header[5]?[2]?.int)
    column.encodings.insert(encoding)
    var rest = body[...]
    let repetitions = leaf.isList ? try levels(&rest, count) : []
    let hasLevels = leaf.isList || leaf.isOptional
    let definitions = hasLevels ? try levels(&rest, count) : Array(repeating: 1, count: count)
    let present = definitions.count { $0 == 1 }
    var values: [Value]
    switch encoding {
    case 0: values = try plain(rest, count: present, leaf)
    case 5: values = try deltas(rest).map { .integer($0) }
    case 8:
      guard let byte = rest.popFirst() else { throw Broken() }
      let width = Int(byte)
      values = try hybrid(rest, width, present).map { dictionary[$0] }
    default: throw Broken()
    }
    guard values.count == present else { throw Broken() }
    values.reverse()
    for (place, definition) in definitions.enumerated() {
      let value = definition == 1 ? values.removeLast() : nil
      if !leaf.isList {
        column.rows.append([value ?? .null])
      } else if repetitions[place] == 0 {
        column.rows.append(value.map { [$0] } ?? [])
      } else {
        column.rows[column.rows.count - 1].append(try #require(value))
      }
    }
  }

  /// A page's header, and its body without compression.
  private func page(at offset: Int, of file: [UInt8]) throws -> (ThriftValue, [UInt8]) {
    var reader = ThriftReader(Array(file[offset...].prefix(200)))
    guard let header = reader.structure(depth: 0) else { throw Broken() }
    let packed = Array(file[(offset + reader.index)...].prefix(header[3]?.int ?? 0))
    let sum = packed.withUnsafeBytes { PageCompressor.checksum($0) }
    #expect(header[4]?.int == Int(Int32(bitPattern: sum)))
    return (header, try Self.inflated(packed, to: header[2]?.int ?? 0))
  }

  private static func inflated(_ packed: [UInt8], to count: Int) throws -> [UInt8] {
    var packed = packed
    var output = [UInt8](repeating: 0, count: count + 1)
    var stream = z_stream()
    guard czlib_inflate_init(&stream, MAX_WBITS + 16) == Z_OK else { throw Broken() }
    defer { inflateEnd(&stream) }
    let (inputCount, outputCount) = (UInt32(packed.count), UInt32(output.count))
    let result = packed.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { room in
        (stream.next_in, stream.avail_in) = (input.baseAddress, inputCount)
        (stream.next_out, stream.avail_out) = (room.baseAddress, outputCount)
        return inflate(&stream, Z_FINISH)
      }
    }
    guard result == Z_STREAM_END, stream.avail_out == 1 else { throw Broken() }
    return output.dropLast()
  }

  // MARK: - Encodings

  private func plain(
    _ bytes: ArraySlice<UInt8>,
    count: Int,
    _ leaf: ParquetSchema.Leaf
  ) throws -> [Value] {
    var rest = bytes
    func take(_ count: Int) throws -> [UInt8] {
      guard rest.count >= count else { throw Broken() }
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    return try (0..<count).map { index in
      switch leaf.type {
      case .boolean:
        return .flag(bytes[bytes.startIndex + index / 8] >> UInt8(index % 8) & 1 == 1)
      case .int64: return .integer(Int64(bitPattern: Self.long(try take(8))))
      case .double: return .double(Self.long(try take(8)))
      case .fixedLength: return .bytes(try take(16))
      case .byteArray: return .bytes(try take(Int(Self.word(try take(4), 0))))
      }
    }
  }

  private func levels(_ bytes: inout ArraySlice<UInt8>, _ count: Int) throws -> [Int] {
    let length = Int(Self.word(Array(bytes.prefix(4)), 0))
    defer { bytes = bytes.dropFirst(4 + length) }
    return try hybrid(bytes.dropFirst(4).prefix(length), 1, count)
  }

  private func hybrid(_ bytes: ArraySlice<UInt8>, _ width: Int, _ count: Int) throws -> [Int] {
    var (rest, values) = (bytes, [Int]())
    while values.count < count {
      let head = try varint(&rest)
      if head & 1 == 0 {
        let length = (width + 7) / 8
        let value = rest.prefix(length).reversed().reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(length)
        values += repeatElement(value, count: Int(head >> 1))
      } else {
        let length = Int(head >> 1) * width
        values += Self.unpacked(Array(rest.prefix(length)), width, Int(head >> 1) * 8)
          .map { Int($0) }
        rest = rest.dropFirst(length)
      }
    }
    return Array(values.prefix(count))
  }

  private func deltas(_ bytes: ArraySlice<UInt8>) throws -> [Int64] {
    var rest = bytes
    let (block, mini) = (Int(try varint(&rest)), Int(try varint(&rest)))
    let count = Int(try varint(&rest))
    var values = [try zigzag(&rest)]
    while values.count < count {
      let least = try zigzag(&rest)
      let widths = rest.prefix(mini).map { Int($0) }
      rest = rest.dropFirst(mini)
      for width in widths where values.count < count {
        let size = block / mini
        for delta in Self.unpacked(Array(rest.prefix(size * width / 8)), width, size)
        where values.count < count {
          values.append(values[values.count - 1] &+ least &+ Int64(bitPattern: delta))
        }
        rest = rest.dropFirst(size * width / 8)
      }
    }
    return values
  }

  private static func unpacked(_ bytes: [UInt8], _ width: Int, _ count: Int) -> [UInt64] {
    (0..<count).map { index in
      (0..<width).reduce(0) { value, bit in
        let place = index * width + bit
        guard place / 8 < bytes.count else { return value }
        return value | UInt64(bytes[place / 8] >> UInt8(place % 8) & 1) << UInt64(bit)
      }
    }
  }

  private func varint(_ bytes: inout ArraySlice<UInt8>) throws -> UInt64 {
    var (value, shift) = (UInt64(0), UInt64(0))
    while let byte = bytes.popFirst() {
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw Broken()
  }

  private func zigzag(_ bytes: inout ArraySlice<UInt8>) throws -> Int64 {
    let value = try varint(&bytes)
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
  }

  private static func long(_ bytes: [UInt8]) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
