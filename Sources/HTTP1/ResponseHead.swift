// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The head of a response: status and fields (RFC 9112 §4).
package struct ResponseHead: Sendable, Hashable {
  package let version: HTTPVersion

  /// Three digits, the first of which tells the class (RFC 9110 §15).
  package let status: Int

  /// The server's words for the status; of no meaning to a program.
  package let reason: String

  package var fields: HTTPFields

  /// - Parameters:
  ///   - version: HTTP/1.1 unless said otherwise.
  ///   - status: From 100 to 999.
  ///   - reason: Words for a person; may be empty.
  ///   - fields: The fields; nothing is added to them.
  /// - Throws: `malformedStartLine` if status or reason cannot stand in a status line.
  package init(
    version: HTTPVersion = .http11,
    status: Int,
    reason: String = "",
    fields: HTTPFields = HTTPFields()
  ) throws(HTTPError) {
    guard 100...999 ~= status, reason.utf8.allSatisfy(\.isFieldValueCharacter) else {
      throw HTTPError(.malformedStartLine)
    }
    self.version = version
    self.status = status
    self.reason = reason
    self.fields = fields
  }

  /// Whether another response follows to the same request (RFC 9110 §15.2).
  ///
  /// 101 ends HTTP on the connection, so it is final.
  package var isInterim: Bool { 100...199 ~= status && status != 101 }

  /// Appends the head as it goes over the wire, blank line included.
  ///
  /// - Parameter output: Where to append.
  package func write(to output: inout [UInt8]) {
    output.append(contentsOf: "\(version.rawValue) \(status) \(reason)\r\n".utf8)
    fields.write(to: &output)
  }
}
