// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A JSON value as a tree, for REST answers and rare messages; the hot path has ``JSONScanner``.
///
/// Numbers keep their digits: a price or a conid never goes through a binary fraction. The
/// accessors take what IBKR sends, which is a number, a string or a boolean for one and the same
/// field.
package enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)

  /// A number as it was written.
  case number(String)

  case string(String)
  case array([JSONValue])

  /// Members in their order, repeated keys included.
  case object([Member])

  /// One member of an object.
  package struct Member: Sendable, Hashable {
    package let key: String
    package let value: JSONValue

    package init(key: String, value: JSONValue) {
      self.key = key
      self.value = value
    }
  }
}

extension JSONValue {
  /// The value of a key; of several, the last, as most readers of JSON have it.
  package subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  /// The element at a position; nil beyond the end and for what is not an array.
  package subscript(_ index: Int) -> JSONValue? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// The elements of an array; nil for anything else.
  package var elements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The members of an object; nil for anything else.
  package var members: [Member]? {
    if case .object(let members) = self { members } else { nil }
  }

  package var isNull: Bool { self == .null }

  /// A string, or a number as it was written.
  package var string: String? {
    switch self {
    case .string(let text), .number(let text): text
    default: nil
    }
  }

  /// A whole number, written as a number or as a string, also as `1.0` or `1e3`.
  package var int: Int? { decimal.flatMap { Int(exactly: $0) } }

  /// An exact number, written as a number or as a string.
  package var decimal: Decimal? { string.flatMap { Decimal($0) } }

  /// A boolean, also written as the string `true` or `false` in any case, or as 1 or 0.
  package var bool: Bool? {
    switch self {
    case .bool(let value): value
    case .string(let text), .number(let text):
      switch text.lowercased() {
      case "true", "1": true
      case "false", "0": false
      default: nil
      }
    default: nil
    }
  }
}

// What IBKR answers holds session ids and account numbers: printing a value must not show them.
extension JSONValue: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array(let elements): "an array of \(elements.count)"
    case .object(let members): "an object of \(members.count)"
    }
  }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["kind": description]) }
}

extension JSONValue.Member: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  package var description: String { "a member: \(value)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["value": value]) }
}
