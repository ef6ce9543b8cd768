// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1
internal import HTTPTunnel
public import Transport
internal import WebSocketProtocol

extension WebSocketConnection {
  /// Connects to a server.
  ///
  /// Name look-up, TCP, a proxy's tunnel, TLS and the upgrade (RFC 6455 section 4.1) share one
  /// deadline. All addresses of the host are tried. Redirects are not followed.
  ///
  /// - Parameters:
  ///   - url: `ws://` or `wss://`, host, path and query.
  ///   - configuration: How the connection is opened and kept.
  ///   - loop: The loop that the connection will live on.
  /// - Returns: The open connection.
  /// - Throws: ``WebSocketError``. If the task is cancelled, the attempt is given up at once.
  public static func connect(
    to url: String,
    configuration: WebSocketConfiguration = WebSocketConfiguration(),
    loop: EventLoop
  ) async throws(WebSocketError) -> WebSocketConnection {
    try await connect(to: parse(url), configuration: configuration, loop: loop)
  }

  /// Connects to a server through a connector.
  ///
  /// - Parameters:
  ///   - url: A `ws` or `wss` URL.
  ///   - configuration: How the connection is opened and kept.
  ///   - context: The TLS context to use, shared between connections so that sessions are resumed;
  ///     nil to make one of the configuration's trust and credentials.
  ///   - connector: What makes the stream: the network, or a memory network.
  ///   - loop: The loop that the connection will live on.
  /// - Returns: The open connection.
  /// - Throws: ``WebSocketError``.
  package static func connect(
    to url: WebURL,
    configuration: WebSocketConfiguration,
    context: TLSContext? = nil,
    connector: any Connector = NetworkConnector(),
    loop: EventLoop
  ) async throws(WebSocketError) -> WebSocketConnection {
    let handshake = try handshake(url, configuration)
    // Made for `ws` as well, which does not use it: unusable files are told at once.
    let tls = try Self.context(configuration, orShared: context)
    let connection = WebSocketConnection(configuration: configuration, role: .client, loop: loop)
    try await connection.establish(handshake, url, tls, connector)
    return connection
  }

  private static func context(
    _ configuration: WebSocketConfiguration,
    orShared shared: TLSContext?
  ) throws(WebSocketError) -> TLSContext {
    if let shared { return shared }
    do throws(TLSError) {
      return try TLSContext(client: configuration.trust, credentials: configuration.credentials)
    } catch {
      throw WebSocketError(.invalidRequest, "TLS cannot be used: \(error)")
    }
  }

  private func establish(
    _ handshake: ClientHandshake,
    _ url: WebURL,
    _ context: TLSContext,
    _ connector: any Connector
  ) async throws(WebSocketError) {
    let deadline = loop.deadline(after: configuration.handshakeTimeout)
    do throws(WebSocketError) {
      try await open(url, context, connector, deadline: deadline)
      try await upgrade(handshake, deadline: deadline)
    } catch {
      finish(error)
      throw error
    }
  }

  /// Section 4.1 of RFC 6455 wants a tunnel through the proxy for `ws` and `wss` alike.
  private func open(
    _ url: WebURL,
    _ context: TLSContext,
    _ connector: any Connector,
    deadline: Int64
  ) async throws(WebSocketError) {
    do {
      stream = try await connector.connect(
        to: url,
        through: configuration.proxy,
        tls: context,
        on: loop,
        deadline: deadline
      )
    } catch let error as TransportError {
      throw WebSocketError(handshake: error)
    } catch let error as TunnelError {
      throw WebSocketError(tunnel: error)
    } catch {
      throw WebSocketError(.connect, "cannot connect: \(error)")
    }
  }
}

extension WebSocketError {
  /// The error of a proxy that opened no tunnel.
  fileprivate init(tunnel error: TunnelError) {
    if let transport = error.transport, transport.code == .cancelled || transport.code == .timedOut
    {
      self.init(handshake: transport)
      return
    }
    self.init(.proxy, "\(error)", status: error.status, transport: error.transport)
  }
}
