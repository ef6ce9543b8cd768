// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Tells whether a text is JSON to the letter of RFC 8259.
package enum JSONValidator {
  /// How deep arrays and objects may be nested unless said otherwise.
  package static let defaultDepthLimit = 512

  /// Checks one text from its first byte to its last, UTF-8 included.
  ///
  /// A byte order mark, a comment, a trailing comma and a second value are errors; an escaped lone
  /// surrogate and a repeated key are not, because the grammar allows them.
  ///
  /// - Parameters:
  ///   - bytes: The text.
  ///   - depthLimit: How deep arrays and objects may be nested.
  /// - Throws: The first rule that is broken.
  package static func validate(
    _ bytes: UnsafeRawBufferPointer,
    depthLimit: Int = defaultDepthLimit
  ) throws(JSONError) {
    _ = try JSONGrammar.read(bytes, depthLimit: depthLimit, handler: Nobody())
  }

  /// Takes no notice.
  private struct Nobody: JSONHandler {
    func begin(_ kind: JSONKind) {}
    func end(_ kind: JSONKind) {}
    func key(_ content: UnsafeRawBufferPointer, hasEscapes: Bool) {}
    func scalar(_ kind: JSONKind, _ content: UnsafeRawBufferPointer, hasEscapes: Bool) {}
  }
}
