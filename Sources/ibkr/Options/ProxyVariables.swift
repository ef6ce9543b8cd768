// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTPTunnel
import IBKR

extension IbkrConfiguration {
  /// Takes the proxy from `HTTPS_PROXY` or `ALL_PROXY`, and from `NO_PROXY` who is reached without.
  ///
  /// Lower case wins, as it does for curl. What is on this machine is always reached directly.
  ///
  /// - Parameter variables: Names and values.
  /// - Throws: `IbkrError` with `invalidConfiguration` that names the variable, and not its value,
  ///   which may hold a password.
  mutating func useProxy(of variables: [String: String]) throws(IbkrError) {
    let names = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    guard let name = names.first(where: { variables[$0]?.isEmpty == false }),
      let address = variables[name]
    else { return }
    guard let proxy = HTTPProxy(address: address) else {
      throw IbkrError(
        .invalidConfiguration,
        "\(name) is not the address of a proxy that speaks HTTP",
        remedy: "write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with special characters "
          + "percent-encoded, or unset it"
      )
    }
    self.proxy = proxy
    directHosts = DirectHosts(variables["no_proxy"] ?? variables["NO_PROXY"] ?? "")
  }
}
