// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1
package import Transport

/// Why there is no tunnel through a proxy.
package struct TunnelError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The ways in which a proxy can fail to open a tunnel.
  package struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Value: String {
      case connection, refused, authentication, invalidAnswer, invalidRequest
    }

    private let value: Value

    /// The connection to the proxy broke, ended, or was too slow; see ``TunnelError/transport``.
    package static let connection = Self(value: .connection)
    /// The proxy answered, and will not; see ``TunnelError/status``.
    package static let refused = Self(value: .refused)
    /// The proxy wants another user or password.
    package static let authentication = Self(value: .authentication)
    /// What came is no answer to CONNECT; see ``TunnelError/message``.
    package static let invalidAnswer = Self(value: .invalidAnswer)
    /// The credentials cannot be sent; see ``TunnelError/message``.
    package static let invalidRequest = Self(value: .invalidRequest)

    /// The code's name.
    package var description: String { value.rawValue }
  }

  /// What happened.
  package let code: Code

  /// The proxy's status, where it gave one.
  package let status: Int?

  /// What the connection said, where that is the cause.
  package let transport: TransportError?

  /// What is wrong with request or answer, where that is the cause.
  package let message: HTTPError?

  /// One sentence for a person; the proxy's credentials are not in it.
  package let description: String

  init(
    _ code: Code,
    _ proxy: HTTPProxy,
    _ text: String,
    status: Int? = nil,
    transport: TransportError? = nil,
    message: HTTPError? = nil
  ) {
    self.code = code
    self.status = status
    self.transport = transport
    self.message = message
    description = "proxy \(proxy): \(text)"
  }
}
