// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A value in Thrift's compact protocol, as far as Parquet's metadata need it.
enum ThriftValue: Hashable {
  case number(Int64)
  case bool(Bool)
  case binary([UInt8])
  case list([ThriftValue])
  case structure([Int: ThriftValue])

  /// A field of a structure; nil if there is none.
  subscript(field: Int) -> ThriftValue? {
    if case .structure(let fields) = self { fields[field] } else { nil }
  }

  /// The number, if it is one.
  var int: Int? {
    if case .number(let number) = self { Int(number) } else { nil }
  }

  /// The bytes, if they are some.
  var bytes: [UInt8]? {
    if case .binary(let bytes) = self { bytes } else { nil }
  }

  /// The elements, if it is a list.
  var elements: [ThriftValue]? {
    if case .list(let elements) = self { elements } else { nil }
  }

  /// Reads a structure from the beginning of some bytes; nothing comes of what is none.
  ///
  /// - Parameter bytes: The bytes; others may follow the structure.
  init?(_ bytes: [UInt8]) {
    var reader = ThriftReader(bytes)
    guard let value = reader.structure(depth: 0) else { return nil }
    self = value
  }
}

/// Reads values of Thrift's compact protocol.
struct ThriftReader {
  private let bytes: [UInt8]
  /// Where the next value begins.
  private(set) var index = 0

  private static let deepest = 16

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Reads a structure.
  mutating func structure(depth: Int) -> ThriftValue? {
    guard depth < Self.deepest else { return nil }
    var fields: [Int: ThriftValue] = [:]
    var last = 0
    while let head = byte() {
      guard head != 0 else { return .structure(fields) }
      if head >> 4 == 0 {
        guard let id = zigzag() else { return nil }
        last = Int(truncatingIfNeeded: id)
      } else {
        last += Int(head >> 4)
      }
      let value: ThriftValue?
      switch head & 15 {
      case ThriftWriter.Kind.yes.rawValue: value = .bool(true)
      case ThriftWriter.Kind.no.rawValue: value = .bool(false)
      case let kind: value = self.value(kind, depth: depth + 1)
      }
      guard let value else { return nil }
      fields[last] = value
    }
    return nil
  }

  private mutating func value(_ kind: UInt8, depth: Int) -> ThriftValue? {
    switch ThriftWriter.Kind(rawValue: kind) {
    case .yes, .no: return byte().map { .bool($0 == 1) }
    case .int16, .int32, .int64: return zigzag().map { .number($0) }
    case .binary:
      guard let count = count() else { return nil }
      defer { index += count }
      return .binary(Array(bytes[index..<index + count]))
    case .list: return list(depth: depth)
    case .structure: return structure(depth: depth)
    case nil: return nil
    }
  }

  private mutating func list(depth: Int) -> ThriftValue? {
    guard depth < Self.deepest, let head = byte() else { return nil }
    var count = Int(head >> 4)
    if count == 15 {
      // An element has at least a byte.
      guard let long = self.count() else { return nil }
      count = long
    }
    var elements: [ThriftValue] = []
    for _ in 0..<count {
      guard let element = value(head & 15, depth: depth + 1) else { return nil }
      elements.append(element)
    }
    return .list(elements)
  }

  private mutating func byte() -> UInt8? {
    guard index < bytes.count else { return nil }
    defer { index += 1 }
    return bytes[index]
  }

  private mutating func varint() -> UInt64? {
    var (number, shift) = (UInt64(0), UInt64(0))
    while let next = byte(), shift < 64 {
      number |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return number }
      shift += 7
    }
    return nil
  }

  private mutating func zigzag() -> Int64? {
    varint().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
  }

  /// A number of bytes that are there.
  private mutating func count() -> Int? {
    guard let number = varint(), number <= UInt64(bytes.count - index) else { return nil }
    return Int(number)
  }
}
