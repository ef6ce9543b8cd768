// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import Crypto
package import HTTP1

/// A proxy that opens tunnels with CONNECT (RFC 9110 §9.3.6).
///
/// A value like others: no environment variable is looked at here.
public struct HTTPProxy: Sendable, Hashable {
  /// The proxy's name or address; an IPv6 address without brackets.
  public let host: String

  /// The proxy's port.
  public let port: UInt16

  private let credentials: Credentials?

  private struct Credentials: Sendable, Hashable {
    let user: String
    let password: String
  }

  /// Names a proxy.
  ///
  /// - Parameters:
  ///   - host: The proxy's name or address; an IPv6 address without brackets.
  ///   - port: Its port.
  ///   - user: Who asks (RFC 7617), without a colon; nil if the proxy does not care.
  ///   - password: What proves it.
  public init(host: String, port: UInt16, user: String? = nil, password: String = "") {
    self.host = host
    self.port = port
    credentials = user.map { Credentials(user: $0, password: password) }
  }

  /// The request that asks for a tunnel to a URL's server.
  ///
  /// - Parameter url: Where to; only its host and port are told.
  /// - Returns: The head.
  /// - Throws: `invalidFieldValue` if user or password cannot be sent.
  package func request(for url: WebURL) throws(HTTPError) -> RequestHead {
    // RFC 9112 §3.2.3: the host of the tunnel's end, not the proxy's.
    var fields = try HTTPFields([("Host", url.connectTarget)])
    if let credentials {
      // RFC 7617 §2: a colon would move the border between user and password.
      guard !credentials.user.utf8.contains(UInt8(ascii: ":")) else {
        throw HTTPError(.invalidFieldValue, "the proxy's user name holds a colon")
      }
      let pair = Array("\(credentials.user):\(credentials.password)".utf8)
      try fields.append("Proxy-Authorization", "Basic \(Base64.encode(pair))")
    }
    return try RequestHead(method: .connect, target: url.connectTarget, fields: fields)
  }
}

// Nothing that prints a proxy shows who may use it.
extension HTTPProxy: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Host and port.
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Host and port.
  public var debugDescription: String { description }

  /// Host and port.
  public var customMirror: Mirror { Mirror(self, children: ["proxy": description]) }
}
