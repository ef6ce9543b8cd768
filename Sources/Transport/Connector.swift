// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Where to connect to, and how.
package struct Endpoint: Sendable {
  /// Whether the connection is encrypted.
  package enum Security: Sendable {
    case plaintext
    /// TLS; the certificate must be for the endpoint's host.
    case tls(TLSContext)
  }

  /// A host name, or an address without brackets.
  package var host: String
  /// The port.
  package var port: UInt16
  /// Whether the connection is encrypted.
  package var security: Security

  /// Names an endpoint.
  ///
  /// - Parameters:
  ///   - host: A host name, or an address without brackets.
  ///   - port: The port.
  ///   - security: Whether the connection is encrypted.
  package init(host: String, port: UInt16, security: Security) {
    self.host = host
    self.port = port
    self.security = security
  }
}

/// Something that makes connections: the network, or a memory network in tests.
package protocol Connector: Sendable {
  /// Makes a connection without encryption.
  ///
  /// - Parameters:
  ///   - host: A host name, or an address without brackets.
  ///   - port: The port.
  ///   - loop: The loop of the actor that will use the stream.
  ///   - deadline: The monotonic time to give up at; look-up and all attempts count.
  /// - Returns: The stream.
  /// - Throws: `TransportError` that says which addresses failed and why.
  func open(
    host: String,
    port: UInt16,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> sending any ByteStream

  /// Connects to an endpoint, TLS handshake included.
  ///
  /// - Parameters:
  ///   - endpoint: Where to and how.
  ///   - loop: The loop of the actor that will use the stream.
  ///   - deadline: The monotonic time to give up at.
  /// - Returns: The stream.
  /// - Throws: `TransportError` that says what failed.
  func connect(
    to endpoint: Endpoint,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> sending any ByteStream

  /// Puts TLS on a connection, for example on one that a proxy has passed on.
  ///
  /// - Parameters:
  ///   - stream: What `open` has returned; the result owns it from now on.
  ///   - context: A client's context.
  ///   - host: The name or address that the certificate must be for.
  ///   - deadline: The monotonic time to give up at.
  /// - Returns: The stream, after the handshake.
  /// - Throws: `TransportError` with `.tls` and what is wrong, or why the connection broke.
  func secure(
    _ stream: any ByteStream,
    context: TLSContext,
    host: String,
    deadline: Int64?
  ) async throws(TransportError) -> any ByteStream
}
