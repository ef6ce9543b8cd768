// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A request method (RFC 9110 §9).
package struct HTTPMethod: Sendable, Hashable, CustomStringConvertible {
  /// The name as it stands on the wire; methods are case-sensitive.
  package let name: String

  package static let get = Self(known: "GET")
  package static let head = Self(known: "HEAD")
  package static let post = Self(known: "POST")
  package static let put = Self(known: "PUT")
  package static let delete = Self(known: "DELETE")
  package static let connect = Self(known: "CONNECT")

  /// - Parameter name: A token.
  /// - Throws: `invalidMethod`.
  package init(_ name: String) throws(HTTPError) {
    guard name.isHTTPToken else { throw HTTPError(.invalidMethod) }
    self.name = name
  }

  private init(known name: String) { self.name = name }

  package var description: String { name }

  /// Whether sending the request twice does what sending it once does (RFC 9110 §9.2.2).
  ///
  /// PUT and DELETE are idempotent for the RFC, but at a broker a DELETE cancels an order:
  /// only methods without any effect may be repeated behind the caller's back.
  package var isSafe: Bool { self == .get || self == .head }

  /// Whether a request with this method has a body as a rule, so that its absence is said with
  /// `Content-Length: 0` (RFC 9110 §8.6).
  package var expectsBody: Bool { self == .post || self == .put || name == "PATCH" }
}

/// The two versions of HTTP/1.
package enum HTTPVersion: String, Sendable, Hashable {
  case http10 = "HTTP/1.0"
  case http11 = "HTTP/1.1"
}
