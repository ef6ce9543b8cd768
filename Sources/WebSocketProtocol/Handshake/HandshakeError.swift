// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1

/// Why an opening handshake cannot begin or did not succeed (RFC 6455 section 4).
package struct HandshakeError: Error, Hashable, Sendable {
  /// Which rule was broken, by whom.
  package struct Code: Hashable, Sendable {
    fileprivate enum Value {
      case invalidRequest, redirect, status, version, upgrade, accept, subprotocol, extensions
      case notUpgradeRequest, cryptography
    }

    fileprivate let value: Value

    /// What the caller wants to send cannot be sent.
    package static let invalidRequest = Code(value: .invalidRequest)
    /// The server points elsewhere; it is not followed, for it would get our credentials.
    package static let redirect = Code(value: .redirect)
    /// The server answered with another status than 101.
    package static let status = Code(value: .status)
    /// The server answered in another version than HTTP/1.1.
    package static let version = Code(value: .version)
    /// `Upgrade` or `Connection` is missing or wrong.
    package static let upgrade = Code(value: .upgrade)
    /// `Sec-WebSocket-Accept` is missing, repeated or wrong.
    package static let accept = Code(value: .accept)
    /// A subprotocol that was not asked for.
    package static let subprotocol = Code(value: .subprotocol)
    /// An extension that was not asked for, or with parameters that are not allowed.
    package static let extensions = Code(value: .extensions)
    /// The client's request is not a valid upgrade.
    package static let notUpgradeRequest = Code(value: .notUpgradeRequest)
    /// The cryptographic library cannot do what the handshake needs.
    package static let cryptography = Code(value: .cryptography)
  }

  /// Which rule.
  package let code: Code

  /// What was found, in words; never a header's value or a URL's query.
  package let detail: String

  /// The status of the answer, where there was one, or that the server should answer with.
  package let status: Int?

  package init(_ code: Code, _ detail: String, status: Int? = nil) {
    self.code = code
    self.detail = detail
    self.status = status
  }
}

extension HandshakeError: CustomStringConvertible {
  package var description: String { detail }
}
