// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1
package import Transport

extension Connector {
  /// Connects to a URL's server: directly or through a proxy, with TLS where the scheme asks for it.
  ///
  /// - Parameters:
  ///   - url: Where to; its path and query are told to nobody here.
  ///   - proxy: The proxy to go through, or nil for none.
  ///   - tls: The context for `https` and `wss`; the certificate must be for the URL's host.
  ///   - loop: The loop of the actor that will use the stream.
  ///   - deadline: The monotonic time to give up at; look-up, connecting, tunnel and handshake
  ///     count.
  /// - Returns: The stream, ready for the first request.
  /// - Throws: `TransportError`, or ``TunnelError`` if the proxy is the cause.
  package func connect(
    to url: WebURL,
    through proxy: HTTPProxy?,
    tls: TLSContext,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws -> sending any ByteStream {
    let stream = try await open(
      host: proxy?.host ?? url.host,
      port: proxy?.port ?? url.port,
      on: loop,
      deadline: deadline
    )
    try await proxy?.openTunnel(to: url, over: stream, deadline: deadline)
    guard url.scheme.isSecure else { return stream }
    return try await secure(stream, context: tls, host: url.host, deadline: deadline)
  }
}
