// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1
internal import HTTPTunnel
package import Transport

/// Why a request has no response.
///
/// Compare `code`; show `description`. It names method, scheme, host and port: never the path,
/// which may hold an account number, nor the query, a header or a body.
package struct HTTPClientError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What happened.
  package let code: Code

  /// Whether the server may have acted on the request: for an order the outcome is unknown then.
  package let mayHaveReached: Bool

  /// What the connection said, where that is the cause.
  package let transport: TransportError?

  /// What is wrong with the message, where that is the cause.
  package let message: HTTPError?

  private let request: String
  private let cause: String?

  init(
    _ code: Code,
    _ request: HTTPClientRequest,
    mayHaveReached: Bool,
    transport: TransportError? = nil,
    message: HTTPError? = nil,
    cause: String? = nil
  ) {
    self.cause = cause
    self.code = code
    self.mayHaveReached = mayHaveReached
    self.transport = transport
    self.message = message
    self.request = "\(request.method) \(request.url.origin)"
  }

  /// The error of a connection that could not be made, or of a proxy that opened no tunnel.
  init(_ error: any Error, _ request: HTTPClientRequest) {
    let tunnel = error as? TunnelError
    let transport = tunnel?.transport ?? error as? TransportError
    let code: Code =
      switch transport?.code {
      case .timedOut?, .nameLookupTimedOut?: .timedOut
      case .cancelled?: .cancelled
      default: tunnel == nil ? .cannotConnect : .proxyFailed
      }
    self.init(code, request, mayHaveReached: false, transport: transport, cause: "\(error)")
  }

  package var description: String {
    let cause = cause ?? transport?.description ?? message?.description
    return "\(request): \(code.explanation)" + (cause.map { ": \($0)" } ?? "")
  }
}

extension HTTPClientError {
  /// The ways in which a request can fail.
  package struct Code: Sendable, Hashable, CustomStringConvertible {
    private let value: Value

    /// The code's own name, for logs and tests.
    package var description: String { value.rawValue }

    fileprivate var explanation: String { value.explanation }
  }
}

extension HTTPClientError.Code {
  /// The request cannot be written; nothing was sent.
  package static let invalidRequest = Self(value: .invalidRequest)
  /// No connection could be made; nothing was sent.
  package static let cannotConnect = Self(value: .cannotConnect)
  /// The proxy opened no tunnel; nothing was sent to the server.
  package static let proxyFailed = Self(value: .proxyFailed)
  /// The connection broke or ended before the response was complete.
  package static let connectionLost = Self(value: .connectionLost)
  /// What came is not a response, or one that is not accepted.
  package static let invalidResponse = Self(value: .invalidResponse)
  /// The deadline came first.
  package static let timedOut = Self(value: .timedOut)
  /// The task was cancelled.
  package static let cancelled = Self(value: .cancelled)
  /// The client was closed.
  package static let closed = Self(value: .closed)

  private enum Value: String, Sendable {
    case invalidRequest, cannotConnect, proxyFailed, connectionLost, invalidResponse
    case timedOut, cancelled, closed

    var explanation: String {
      switch self {
      case .invalidRequest: "the request is invalid"
      case .cannotConnect: "no connection"
      case .proxyFailed: "the proxy opened no tunnel"
      case .connectionLost: "the connection was lost before the response was complete"
      case .invalidResponse: "the response is invalid"
      case .timedOut: "no response in time"
      case .cancelled: "cancelled"
      case .closed: "the HTTP client is closed"
      }
    }
  }
}
