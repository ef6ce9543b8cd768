// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// An absolute `http`, `https`, `ws` or `wss` URL, checked when it is made (RFC 3986, RFC 6455 §3).
///
/// Nothing in it can end a request line or a header: spaces, control characters and everything
/// that RFC 3986 wants percent-encoded are refused, and so are user names, which would turn up in
/// logs. Its ``description`` leaves the query out, because IBKR's WebSocket carries an access
/// token there.
package struct WebURL: Sendable, Hashable {
  /// The four schemes.
  package enum Scheme: String, Sendable, CaseIterable {
    case http, https, ws, wss

    /// Whether the connection is made over TLS.
    package var isSecure: Bool { self == .https || self == .wss }

    /// The port of a URL that names none.
    package var defaultPort: UInt16 { isSecure ? 443 : 80 }
  }

  package var scheme: Scheme

  /// A name in lower case, or an address; an IPv6 address stands here without its brackets.
  package let host: String

  package let port: UInt16

  /// Starts with a slash, percent-encoded.
  package private(set) var path: String

  /// What follows the question mark, percent-encoded; nil if there is none.
  package private(set) var query: String?

  init(scheme: Scheme, host: String, port: UInt16, path: String, query: String?) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
    self.query = query
  }

  /// What the request line asks for (RFC 9112 §3.2.1).
  package var requestTarget: String { query.map { "\(path)?\($0)" } ?? path }

  /// The value of the `Host` field: without the scheme's own port (RFC 9110 §7.2).
  package var authority: String {
    port == scheme.defaultPort ? bracketedHost : "\(bracketedHost):\(port)"
  }

  /// What a CONNECT request asks for: always with the port (RFC 9112 §3.2.3).
  package var connectTarget: String { "\(bracketedHost):\(port)" }

  /// Scheme, host and port: what one connection serves, and all of a URL that is no secret.
  package var origin: String { "\(scheme.rawValue)://\(authority)" }

  private var bracketedHost: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }

  /// A URL below this one, as `iserver/accounts` is below `https://localhost:5000/v1/api`.
  ///
  /// - Parameters:
  ///   - relative: Path segments, percent-encoded; a slash at its start is of no meaning.
  ///   - query: Names and values as they are; they are encoded here.
  /// - Returns: The same server, this path with `relative` after it, and that query alone.
  /// - Throws: `invalidURLCharacter`.
  package func appending(
    path relative: String,
    query: [(name: String, value: String)] = []
  ) throws(HTTPError) -> WebURL {
    var url = self
    let base = path.hasSuffix("/") ? path : path + "/"
    url.path = base + relative.drop { $0 == "/" }
    try Self.checkPath(url.path)
    url.query = query.isEmpty ? nil : Self.encode(query: query)
    return url
  }

  /// `name=value&…` with both sides percent-encoded.
  private static func encode(query: [(name: String, value: String)]) -> String {
    query.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }.joined(separator: "&")
  }

  /// Encodes everything but the unreserved characters (RFC 3986 §2.3) as `%XX`.
  ///
  /// - Parameter text: Any text.
  /// - Returns: What may stand in a path segment or in a query's value.
  package static func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var output: [UInt8] = []
    for byte in text.utf8 {
      if byte.isUnreserved {
        output.append(byte)
      } else {
        output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: output, as: UTF8.self)
  }
}

// The query may hold a token, so nothing that prints this type shows it.
extension WebURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String {
    "\(scheme.rawValue)://\(authority)\(path)" + (query == nil ? "" : "?…")
  }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}
