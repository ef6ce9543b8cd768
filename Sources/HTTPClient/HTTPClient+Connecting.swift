// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTPTunnel
package import Transport

extension HTTPClient {
  /// Makes a client that connects through a connector, and a proxy where there is one.
  ///
  /// - Parameters:
  ///   - loop: Where the client lives.
  ///   - configuration: What does not change from request to request.
  ///   - connector: What makes connections.
  ///   - tls: The context for `https`; it says whom to trust and keeps sessions to resume.
  ///   - proxy: The proxy to go through, or nil for none.
  package init(
    loop: EventLoop,
    configuration: Configuration = Configuration(),
    connector: any Connector = NetworkConnector(),
    tls: TLSContext,
    proxy: HTTPProxy? = nil
  ) {
    self.init(loop: loop, configuration: configuration) { url, deadline in
      try await connector.connect(to: url, through: proxy, tls: tls, on: loop, deadline: deadline)
    }
  }
}
