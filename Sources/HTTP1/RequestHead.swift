// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The head of a request: method, target and fields (RFC 9112 §3).
package struct RequestHead: Sendable, Hashable, CustomStringConvertible {
  package let method: HTTPMethod

  /// What is asked for: a path with its query, `host:port` for CONNECT, or `*`.
  package let target: String

  package let version: HTTPVersion
  package var fields: HTTPFields

  /// Makes a head that can be written as it is.
  ///
  /// - Parameters:
  ///   - method: The method.
  ///   - target: Visible ASCII characters only: a space or a line end would forge a request.
  ///   - version: HTTP/1.1 unless said otherwise.
  ///   - fields: The fields; nothing is added to them.
  /// - Throws: `invalidTarget`.
  package init(
    method: HTTPMethod,
    target: String,
    version: HTTPVersion = .http11,
    fields: HTTPFields = HTTPFields()
  ) throws(HTTPError) {
    guard !target.isEmpty, target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw HTTPError(.invalidTarget)
    }
    self.method = method
    self.target = target
    self.version = version
    self.fields = fields
  }

  /// The target up to its query.
  package var path: Substring { target.prefix { $0 != "?" } }

  /// What follows the question mark, or nil if there is none.
  package var query: Substring? {
    guard let mark = target.firstIndex(of: "?") else { return nil }
    return target[target.index(after: mark)...]
  }

  /// Method and path; never the query, which may hold a token.
  package var description: String { "\(method) \(path)" + (query == nil ? "" : "?…") }

  /// Appends the head as it goes over the wire, blank line included.
  ///
  /// - Parameter output: Where to append.
  package func write(to output: inout [UInt8]) {
    output.append(contentsOf: "\(method.name) \(target) \(version.rawValue)\r\n".utf8)
    fields.write(to: &output)
  }
}

// A reflected request head would show its query.
extension RequestHead: CustomDebugStringConvertible, CustomReflectable {
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["request": description]) }
}

extension HTTPFields {
  /// Appends the fields as lines and the blank line that ends a head.
  func write(to output: inout [UInt8]) {
    for field in self {
      output.append(contentsOf: field.name.utf8)
      output.append(contentsOf: ": ".utf8)
      output.append(contentsOf: field.value.utf8)
      output.append(contentsOf: "\r\n".utf8)
    }
    output.append(contentsOf: "\r\n".utf8)
  }
}
