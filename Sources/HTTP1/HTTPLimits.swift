// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How much a peer may send before it is refused; checked before memory is taken.
package struct HTTPLimits: Sendable, Hashable {
  /// The whole head: start line, fields and line endings.
  package var headBytes: Int

  /// The number of fields in a head, and again in a chunked body's trailers.
  package var fieldCount: Int

  /// The body as it comes over the wire, and again after its content coding is undone.
  package var bodyBytes: Int

  /// - Parameters:
  ///   - headBytes: The limit of the head in bytes.
  ///   - fieldCount: The limit of the fields' number.
  ///   - bodyBytes: The limit of the body in bytes, compressed and decompressed.
  package init(headBytes: Int = 64 << 10, fieldCount: Int = 256, bodyBytes: Int = 16 << 20) {
    self.headBytes = headBytes
    self.fieldCount = fieldCount
    self.bodyBytes = bodyBytes
  }
}
