// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Header fields in the order of the wire; names are compared without regard to case.
///
/// Every name and value was checked when it came in, so that what is written can never break out
/// of its line (RFC 9110 §5.1, §5.5). A head has a dozen fields: looking one up walks them all.
package struct HTTPFields: Sendable, Hashable {
  /// One header line.
  package struct Field: Sendable, Hashable {
    /// The name as it was written.
    package let name: String

    /// The value without the white space around it.
    package let value: String
  }

  private var fields: [Field] = []

  /// No fields.
  package init() {}

  /// Makes the fields that are listed, in their order.
  ///
  /// - Parameter pairs: Names and values.
  /// - Throws: `invalidFieldName` or `invalidFieldValue`.
  package init(_ pairs: [(name: String, value: String)]) throws(HTTPError) {
    for (name, value) in pairs { try append(name, value) }
  }

  /// The value of the first field of this name.
  package subscript(_ name: String) -> String? {
    fields.first { $0.name.equalsIgnoringASCIICase(name) }?.value
  }

  /// The values of all fields of this name, in order.
  ///
  /// - Parameter name: The name, in any case.
  /// - Returns: The values; empty if there is no such field.
  package func values(of name: String) -> [String] {
    fields.filter { $0.name.equalsIgnoringASCIICase(name) }.map(\.value)
  }

  /// The value of a field that may stand once only.
  ///
  /// - Parameter name: The name, in any case.
  /// - Returns: The value, or nil if there is no such field.
  /// - Throws: `duplicateField` if the name stands more than once.
  package func single(_ name: String) throws(HTTPError) -> String? {
    let values = values(of: name)
    guard values.count <= 1 else { throw HTTPError(.duplicateField, name) }
    return values.first
  }

  /// Adds a field at the end, beside others of its name.
  ///
  /// - Parameters:
  ///   - name: A token.
  ///   - value: Visible characters, spaces and tabs; white space at its ends is removed.
  /// - Throws: `invalidFieldName` or `invalidFieldValue`, without the value in the text.
  package mutating func append(_ name: String, _ value: String) throws(HTTPError) {
    guard name.isHTTPToken else { throw HTTPError(.invalidFieldName) }
    if let byte = value.utf8.first(where: { !$0.isFieldValueCharacter }) {
      throw HTTPError(.invalidFieldValue, "\(name) holds \(byte.hexadecimalName)")
    }
    let trimmed = value.utf8.trimmingOptionalWhitespace()
    fields.append(Field(name: name, value: String(Substring(trimmed))))
  }

  /// Replaces every field of this name by one.
  ///
  /// - Parameters:
  ///   - name: A token.
  ///   - value: As in ``append(_:_:)``.
  /// - Throws: `invalidFieldName` or `invalidFieldValue`.
  package mutating func set(_ name: String, _ value: String) throws(HTTPError) {
    var others = self
    others.removeAll(named: name)
    try others.append(name, value)
    self = others
  }

  /// Removes every field of this name.
  ///
  /// - Parameter name: The name, in any case.
  package mutating func removeAll(named name: String) {
    fields.removeAll { $0.name.equalsIgnoringASCIICase(name) }
  }

  /// Adds a field whose bytes the head parser has checked.
  mutating func append(unchecked field: Field) { fields.append(field) }
}

extension HTTPFields: RandomAccessCollection {
  package var startIndex: Int { fields.startIndex }
  package var endIndex: Int { fields.endIndex }
  package subscript(position: Int) -> Field { fields[position] }
}

// Values are cookies and tokens as often as not, so nothing that prints this type shows them.
extension HTTPFields: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String {
    "[" + fields.map(\.name).joined(separator: ", ") + "]"
  }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, unlabeledChildren: fields.map(\.name)) }
}

extension HTTPFields.Field: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  package var description: String { name }
  package var debugDescription: String { name }
  package var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}

extension Collection<UInt8> where Self: BidirectionalCollection {
  /// The bytes without the spaces and tabs at either end.
  func trimmingOptionalWhitespace() -> SubSequence {
    guard let first = firstIndex(where: { !$0.isOptionalWhitespace }),
      let last = lastIndex(where: { !$0.isOptionalWhitespace })
    else { return self[endIndex...] }
    return self[first...last]
  }
}
