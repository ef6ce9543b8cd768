// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension JSONValue {
  /// Reads one text to the letter of RFC 8259.
  ///
  /// - Parameters:
  ///   - bytes: The text, from its first byte to its last.
  ///   - depthLimit: How deep arrays and objects may be nested.
  /// - Throws: The first rule that is broken.
  package init(
    parsing bytes: UnsafeRawBufferPointer,
    depthLimit: Int = JSONValidator.defaultDepthLimit
  ) throws(JSONError) {
    let builder = try JSONGrammar.read(bytes, depthLimit: depthLimit, handler: Builder())
    self = builder.root
  }

  /// Reads one text to the letter of RFC 8259.
  ///
  /// - Parameter bytes: The text, from its first byte to its last.
  /// - Throws: The first rule that is broken.
  package init(parsing bytes: [UInt8]) throws(JSONError) {
    self = try bytes.span.withUnsafeBytes { bytes throws(JSONError) in try JSONValue(parsing: bytes)
    }
  }

  /// Builds the tree from its leaves.
  private struct Builder: JSONHandler {
    /// An array or an object that has begun, with the key under which it will be put away.
    private struct Open {
      var key: String?
      var pendingKey: String?
      var elements: [JSONValue] = []
      var members: [Member] = []
    }

    private(set) var root = JSONValue.null
    private var open: [Open] = []

    mutating func begin(_ kind: JSONKind) { open.append(Open()) }

    mutating func end(_ kind: JSONKind) {
      guard let closed = open.popLast() else { return }
      add(kind == .object ? .object(closed.members) : .array(closed.elements))
    }

    mutating func key(_ content: UnsafeRawBufferPointer, hasEscapes: Bool) {
      open[open.count - 1].pendingKey = text(content, hasEscapes)
    }

    mutating func scalar(
      _ kind: JSONKind,
      _ content: UnsafeRawBufferPointer,
      hasEscapes: Bool
    ) {
      switch kind {
      case .string: add(.string(text(content, hasEscapes)))
      case .number: add(.number(text(content, false)))
      case .true: add(.bool(true))
      case .false: add(.bool(false))
      default: add(.null)
      }
    }

    private mutating func add(_ value: JSONValue) {
      guard let last = open.indices.last else {
        root = value
        return
      }
      if let key = open[last].pendingKey {
        open[last].pendingKey = nil
        open[last].members.append(Member(key: key, value: value))
      } else {
        open[last].elements.append(value)
      }
    }

    /// The grammar has checked the bytes, so there is always a text.
    private func text(_ content: UnsafeRawBufferPointer, _ hasEscapes: Bool) -> String {
      hasEscapes ? JSONString.text(content) ?? "" : String(decoding: content, as: UTF8.self)
    }
  }
}
