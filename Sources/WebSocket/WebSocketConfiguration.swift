// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import HTTPTunnel
public import Transport
public import WebSocketProtocol

/// How a connection is opened and kept.
public struct WebSocketConfiguration: Sendable {
  /// Further header fields of the upgrade request, such as `Authorization`, `Cookie` or `Origin`.
  public var headers: [WebSocketHeader] = []

  /// Subprotocols to ask for, the preferred first (RFC 6455 section 1.9).
  public var subprotocols: [String] = []

  /// What to offer of permessage-deflate (RFC 7692); nil for nothing.
  public var deflate: PerMessageDeflate?

  /// What the peer may ask of our memory.
  public var limits = Limits()

  /// What happens to text that is not UTF-8.
  public var text = TextPolicy.strict

  /// Longer messages are sent in fragments of this length.
  public var largestSentFrame = Int.max

  /// Whom to trust at the other end of `wss`.
  public var trust = TrustPolicy.system

  /// The certificate to show to a server that asks for one.
  public var credentials: TLSCredentials?

  /// The proxy to go through, nil for none; no environment variable is looked at.
  public var proxy: HTTPProxy?

  /// How long name look-up, connecting, TLS and the upgrade may take together.
  public var handshakeTimeout = Duration.seconds(20)

  /// How long the peer may be silent before it is pinged; nil never to ping.
  public var pingInterval: Duration?

  /// How long it may then stay silent.
  public var pongTimeout = Duration.seconds(10)

  /// How long the peer may take nothing of what is sent.
  public var writeTimeout = Duration.seconds(10)

  /// How long the closing handshake may take.
  public var closeTimeout = Duration.seconds(5)

  /// Makes a configuration with the default of every property.
  public init() {}
}

/// A header field of the upgrade request; its value may be a secret and is not printed.
public struct WebSocketHeader: Sendable, Hashable {
  /// The name.
  public let name: String

  /// The value.
  public let value: String

  /// Makes a field; whether it can be sent is checked when connecting, before anything is sent.
  ///
  /// - Parameters:
  ///   - name: A token.
  ///   - value: Visible characters and spaces.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

extension WebSocketHeader: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
  /// The name.
  public var description: String { name }

  /// The name.
  public var debugDescription: String { name }

  /// The name.
  public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
