// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import Transport
internal import WebSocketProtocol

/// Why a WebSocket could not be opened, or ended otherwise than by the closing handshake.
///
/// Compare ``code``; show `description`, which says what happened and what to do. It holds no
/// header's value, no URL's query and nothing of a message.
public struct WebSocketError: Error, Sendable, Hashable {
  /// The kinds of failure.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Value: String {
      case invalidRequest, connect, proxy, handshake, redirect
      case handshakeTimedOut, writeTimedOut, pongTimedOut, closeTimedOut
      case protocolViolation, tooLarge, ended, transport, cancelled, closed, invalidArgument
    }

    private let value: Value

    /// The URL, a header or a subprotocol cannot be used; nothing was sent.
    public static let invalidRequest = Code(value: .invalidRequest)
    /// No connection could be made: see ``WebSocketError/transport``.
    public static let connect = Code(value: .connect)
    /// The proxy did not open a tunnel.
    public static let proxy = Code(value: .proxy)
    /// The server did not upgrade, or not as RFC 6455 section 4.1 demands.
    public static let handshake = Code(value: .handshake)
    /// The server points elsewhere, which is never followed: it would be given the credentials.
    public static let redirect = Code(value: .redirect)
    /// The opening handshake did not end before its deadline.
    public static let handshakeTimedOut = Code(value: .handshakeTimedOut)
    /// The peer did not take what was sent before the deadline.
    public static let writeTimedOut = Code(value: .writeTimedOut)
    /// Nothing was heard from the peer, not even the pong to a ping.
    public static let pongTimedOut = Code(value: .pongTimedOut)
    /// The peer did not answer the close frame before the deadline.
    public static let closeTimedOut = Code(value: .closeTimedOut)
    /// The peer broke RFC 6455 or RFC 7692; it was told so with ``WebSocketError/closeCode``.
    public static let protocolViolation = Code(value: .protocolViolation)
    /// A frame or a message is above a limit.
    public static let tooLarge = Code(value: .tooLarge)
    /// The connection ended without a close frame.
    public static let ended = Code(value: .ended)
    /// The connection broke: see ``WebSocketError/transport``.
    public static let transport = Code(value: .transport)
    /// The task that was connecting or reading was cancelled; the connection is closed.
    public static let cancelled = Code(value: .cancelled)
    /// The connection is closing or closed, so nothing can be sent.
    public static let closed = Code(value: .closed)
    /// No frame can carry this ping, close code or reason.
    public static let invalidArgument = Code(value: .invalidArgument)

    /// The code's name.
    public var description: String { value.rawValue }
  }

  /// What kind of failure.
  public let code: Code

  /// The close code that describes it (RFC 6455 section 7.4.1), 1006 where no frame was involved.
  public let closeCode: CloseCode

  /// The status of an HTTP answer, where the server or the proxy gave one instead of an upgrade.
  public let status: Int?

  /// The first bytes of that answer's body, which may quote what was sent: not for logs.
  public let body: [UInt8]

  /// Why the connection could not be made or broke, where that is the reason.
  public let transport: TransportError?

  private let message: String

  init(
    _ code: Code,
    _ message: String,
    closeCode: CloseCode = .abnormal,
    status: Int? = nil,
    body: [UInt8] = [],
    transport: TransportError? = nil
  ) {
    self.code = code
    self.message = message
    self.closeCode = closeCode
    self.status = status
    self.body = body
    self.transport = transport
  }
}

extension WebSocketError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String { message }
}

// The body may hold what was sent, so nothing that prints this type shows it.
extension WebSocketError: CustomDebugStringConvertible, CustomReflectable {
  /// The same as `description`.
  public var debugDescription: String { "\(code): \(message)" }

  /// The code and the description.
  public var customMirror: Mirror {
    Mirror(self, children: ["code": code, "description": message])
  }
}

extension WebSocketError {
  /// The error of a connection that broke while it was open.
  init(_ error: TransportError) {
    switch error.code {
    case .cancelled: self.init(.cancelled, "\(error)", transport: error)
    case .closed: self.init(.closed, "the connection is closed", transport: error)
    default: self.init(.transport, "the connection broke: \(error)", transport: error)
    }
  }

  /// The error of a breach of the protocol, or of a call that came too late.
  init(_ error: ProtocolError) {
    let code: Code =
      switch error.code {
      case .notOpen: .closed
      case .invalidArgument: .invalidArgument
      case .endOfStream: .ended
      default: error.closeCode == .messageTooBig ? .tooLarge : .protocolViolation
      }
    let text =
      switch code {
      case .protocolViolation, .tooLarge: "the peer sent \(error)"
      default: "\(error)"
      }
    self.init(code, text, closeCode: error.closeCode)
  }

  /// The error of an opening handshake.
  init(_ error: HandshakeError, body: [UInt8] = []) {
    let code: Code =
      switch error.code {
      case .invalidRequest: .invalidRequest
      case .redirect: .redirect
      default: .handshake
      }
    self.init(code, "\(error)", status: error.status, body: body)
  }
}
