// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Writes structures in Thrift's compact protocol, as far as Parquet's metadata need it.
///
/// github.com/apache/thrift, doc/specs/thrift-compact-protocol.md. Fields are written in ascending
/// order of their ids.
struct ThriftWriter: ~Copyable {
  /// What stands in a field or a list.
  enum Kind: UInt8 {
    case yes = 1
    case no = 2
    case int16 = 4
    case int32 = 5
    case int64 = 6
    case binary = 8
    case list = 9
    case structure = 12
  }

  /// What was written.
  private(set) var bytes = LineBuffer(capacity: 256)

  // The last field of each structure that is open.
  private var lastFields: [Int] = [0]

  /// Forgets what was written.
  mutating func removeAll() {
    bytes.removeAll()
    lastFields = [0]
  }

  /// A number of 32 bits, which enumerations are as well.
  mutating func field(_ id: Int, int32 value: Int) {
    begin(id, .int32)
    bytes.append(zigzag: Int64(value))
  }

  /// A number of 64 bits.
  mutating func field(_ id: Int, int64 value: Int) {
    begin(id, .int64)
    bytes.append(zigzag: Int64(value))
  }

  /// A truth value.
  mutating func field(_ id: Int, bool value: Bool) {
    begin(id, value ? .yes : .no)
  }

  /// A text.
  mutating func field(_ id: Int, text: String) {
    field(id, binary: Array(text.utf8))
  }

  /// Bytes.
  mutating func field(_ id: Int, binary: [UInt8]) {
    begin(id, .binary)
    bytes.append(varint: UInt64(binary.count))
    bytes.append(contentsOf: binary)
  }

  /// A structure; `body` writes its fields.
  mutating func field(_ id: Int, _ body: (inout ThriftWriter) -> Void) {
    begin(id, .structure)
    structure(body)
  }

  /// The head of a list; its elements follow.
  mutating func list(_ id: Int, of kind: Kind, count: Int) {
    begin(id, .list)
    if count < 15 {
      bytes.append(UInt8(count) << 4 | kind.rawValue)
    } else {
      bytes.append(0xF0 | kind.rawValue)
      bytes.append(varint: UInt64(count))
    }
  }

  /// An element of a list of structures.
  mutating func structure(_ body: (inout ThriftWriter) -> Void) {
    lastFields.append(0)
    body(&self)
    endStructure()
    lastFields.removeLast()
  }

  /// An element of a list of numbers.
  mutating func element(int32 value: Int) {
    bytes.append(zigzag: Int64(value))
  }

  /// An element of a list of texts.
  mutating func element(text: String) {
    let text = Array(text.utf8)
    bytes.append(varint: UInt64(text.count))
    bytes.append(contentsOf: text)
  }

  /// Elements that were written elsewhere.
  mutating func append(_ elements: borrowing LineBuffer) {
    elements.withBytes { bytes.append(contentsOf: $0) }
  }

  /// Ends the outermost structure.
  mutating func endStructure() {
    bytes.append(UInt8(0))
  }

  private mutating func begin(_ id: Int, _ kind: Kind) {
    let step = id - lastFields[lastFields.count - 1]
    lastFields[lastFields.count - 1] = id
    if 1...15 ~= step {
      bytes.append(UInt8(step) << 4 | kind.rawValue)
    } else {
      bytes.append(kind.rawValue)
      bytes.append(zigzag: Int64(id))
    }
  }
}

extension LineBuffer {
  /// Appends a number in groups of seven bits, the lowest first.
  mutating func append(varint number: UInt64) {
    append(atMost: 10) { room in
      var (rest, count) = (number, 0)
      while rest >= 0x80 {
        room[count] = UInt8(truncatingIfNeeded: rest) | 0x80
        rest >>= 7
        count += 1
      }
      room[count] = UInt8(truncatingIfNeeded: rest)
      return count + 1
    }
  }

  /// Appends a number so that small ones are short, whichever their sign.
  mutating func append(zigzag number: Int64) {
    append(varint: UInt64(bitPattern: number << 1 ^ number >> 63))
  }

  /// Appends an integer, its lowest byte first.
  mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
    append(atMost: MemoryLayout<Number>.size) { room in
      UnsafeMutableRawPointer(room).storeBytes(of: number.littleEndian, as: Number.self)
      return MemoryLayout<Number>.size
    }
  }
}
