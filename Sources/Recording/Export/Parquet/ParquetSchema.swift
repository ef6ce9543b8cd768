// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// How a column's values are stored (`Type` of parquet.thrift).
enum ParquetType: Int {
  case boolean = 0
  case int64 = 2
  case double = 5
  case byteArray = 6
  case fixedLength = 7
}

/// What a column of a recording is in Parquet.
///
/// | column | physical | logical |
/// |---|---|---|
/// | integer | INT64 | |
/// | time | INT64 | TIMESTAMP in nanoseconds, UTC |
/// | decimal number | DOUBLE | |
/// | the same, exact | FIXED_LEN_BYTE_ARRAY(16) | DECIMAL(38, 12) |
/// | text | BYTE_ARRAY | STRING |
/// | truth value | BOOLEAN | |
/// | list | of BYTE_ARRAY or INT64 | LIST |
struct ParquetSchema {
  /// A column that has values, which for a list is its element.
  struct Leaf {
    let name: String
    let kind: Column.Kind
    let type: ParquetType
    /// The names on the way to it.
    let path: [String]

    /// Whether there are rows without a value.
    var isOptional: Bool {
      switch kind {
      case .integerOrNull, .timeOrNull, .decimalOrNull, .stringOrNull, .boolOrNull: true
      case .integer, .time, .string, .bool, .strings, .integers: false
      }
    }

    /// Whether a row has any number of values.
    var isList: Bool { kind == .strings || kind == .integers }
  }

  /// The columns, in their order.
  let leaves: [Leaf]

  /// The digits of a DECIMAL, and how many of them stand behind the point: those of `load.py`.
  static let decimal = (precision: 38, scale: 12)

  /// Prepares for the rows of a channel.
  ///
  /// - Parameters:
  ///   - columns: The channel's columns.
  ///   - isExact: Whether decimal numbers are DECIMAL instead of DOUBLE.
  init(_ columns: [Column], isExact: Bool) {
    leaves = columns.map { column in
      let isList = column.kind == .strings || column.kind == .integers
      return Leaf(
        name: column.name,
        kind: column.kind,
        type: Self.type(column.kind, isExact),
        path: isList ? [column.name, "list", "element"] : [column.name]
      )
    }
  }

  private static func type(_ kind: Column.Kind, _ isExact: Bool) -> ParquetType {
    switch kind {
    case .integer, .integerOrNull, .time, .timeOrNull, .integers: .int64
    case .decimalOrNull: isExact ? .fixedLength : .double
    case .string, .stringOrNull, .strings: .byteArray
    case .bool, .boolOrNull: .boolean
    }
  }

  /// Writes the tree of columns as `SchemaElement`s.
  ///
  /// - Parameters:
  ///   - id: The field of the list.
  ///   - thrift: Where to write.
  func write(_ id: Int, to thrift: inout ThriftWriter) {
    let count = leaves.reduce(1) { $0 + ($1.isList ? 3 : 1) }
    thrift.list(id, of: .structure, count: count)
    thrift.structure { root in
      root.field(4, text: "schema")
      root.field(5, int32: leaves.count)
    }
    for leaf in leaves {
      guard leaf.isList else {
        Self.write(leaf, named: leaf.name, to: &thrift)
        continue
      }
      // The three levels that the specification wants of a LIST.
      thrift.structure { list in
        list.field(3, int32: Repetition.required.rawValue)
        list.field(4, text: leaf.name)
        list.field(5, int32: 1)
        list.field(6, int32: 3)  // LIST
        list.field(10) { logical in logical.field(3) { _ in } }
      }
      thrift.structure { group in
        group.field(3, int32: Repetition.repeated.rawValue)
        group.field(4, text: "list")
        group.field(5, int32: 1)
      }
      Self.write(leaf, named: "element", to: &thrift)
    }
  }

  private enum Repetition: Int {
    case required = 0
    case optional = 1
    case repeated = 2
  }

  private static func write(_ leaf: Leaf, named name: String, to thrift: inout ThriftWriter) {
    thrift.structure { element in
      element.field(1, int32: leaf.type.rawValue)
      if leaf.type == .fixedLength { element.field(2, int32: 16) }
      element.field(3, int32: (leaf.isOptional ? Repetition.optional : .required).rawValue)
      element.field(4, text: name)
      switch leaf.kind {
      case .string, .stringOrNull, .strings:
        element.field(6, int32: 0)  // UTF8
        element.field(10) { logical in logical.field(1) { _ in } }
      case .decimalOrNull where leaf.type == .fixedLength:
        element.field(6, int32: 5)  // DECIMAL
        element.field(7, int32: decimal.scale)
        element.field(8, int32: decimal.precision)
        element.field(10) { logical in
          logical.field(5) { type in
            type.field(1, int32: decimal.scale)
            type.field(2, int32: decimal.precision)
          }
        }
      case .time, .timeOrNull:
        element.field(10) { logical in
          logical.field(8) { type in
            type.field(1, bool: true)  // UTC
            type.field(2) { unit in unit.field(3) { _ in } }  // nanoseconds
          }
        }
      default: break
      }
    }
  }
}
