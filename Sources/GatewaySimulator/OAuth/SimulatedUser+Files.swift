// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
package import OAuth1a

extension SimulatedUser {
  /// The files that an IBind user has, keys and environment.
  ///
  /// - Parameters:
  ///   - folder: Where the files will lie, an absolute path.
  ///   - url: The simulator's address.
  ///   - ca: The file of the simulator's certificate authority.
  /// - Returns: Names and contents; all of them are secrets.
  package func files(
    folder: String,
    url: String,
    ca: String
  ) -> [(name: String, content: Secret)] {
    let socket = url.replacingPrefix("http", by: "ws")
    let lines = [
      "IBIND_USE_OAUTH=True", "IBIND_CACERT=\(ca)",
      // With OAuth, IBind's REST side does not look at its own variable: api.ibkr.com needs none.
      "REQUESTS_CA_BUNDLE=\(ca)", "IBIND_OAUTH1A_REST_URL=\(url)/",
      "IBIND_OAUTH1A_WS_URL=\(socket)/ws", "IBIND_OAUTH1A_CONSUMER_KEY=\(consumerKey)",
      "IBIND_OAUTH1A_ACCESS_TOKEN=\(accessToken.exposedText)",
      "IBIND_OAUTH1A_ACCESS_TOKEN_SECRET=\(accessTokenSecret.exposedText)",
      "IBIND_OAUTH1A_REALM=\(realm)", "IBIND_OAUTH1A_DH_PRIME=\(prime)",
      "IBIND_OAUTH1A_DH_GENERATOR=2",
      "IBIND_OAUTH1A_ENCRYPTION_KEY_FP=\(folder)/private_encryption.pem",
      "IBIND_OAUTH1A_SIGNATURE_KEY_FP=\(folder)/private_signature.pem", "",
    ]
    return [
      ("private_encryption.pem", encryptionKeyPEM), ("private_signature.pem", signatureKeyPEM),
      ("ibind.env", Secret(lines.joined(separator: "\n"))),
    ]
  }
}

extension GatewaySimulator {
  /// Writes what an OAuth user of the simulator has: two keys, `ibind.env` with the variables that
  /// IBind and this package read, and the certificate authority.
  ///
  /// The keys and the environment are readable by the owner only.
  ///
  /// - Parameter folder: Where to; made if it is not there.
  /// - Throws: `GatewaySimulatorError` with `credentials` if a file cannot be written, or if the
  ///   simulator is a gateway, which has no such user.
  public nonisolated func writeCredentials(to folder: String) throws(GatewaySimulatorError) {
    guard let user else {
      throw GatewaySimulatorError(
        .credentials,
        "a simulated gateway has no OAuth user: start the simulator with speaksOAuth"
      )
    }
    guard mkdir(folder, 0o700) == 0 || errno == EEXIST, let path = realpath(folder, nil) else {
      throw Self.failure(folder)
    }
    defer { free(path) }
    let absolute = String(cString: path)
    let authority = "\(absolute)/ca.pem"
    try Self.write(caPEM, to: authority, mode: 0o644)
    for (name, content) in user.files(folder: absolute, url: url, ca: authority) {
      try Self.write(content.exposedText, to: "\(absolute)/\(name)", mode: 0o600)
    }
  }

  private static func write(
    _ text: String,
    to path: String,
    mode: mode_t
  ) throws(GatewaySimulatorError) {
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode)
    guard file >= 0 else { throw failure(path) }
    defer { close(file) }
    // An older file gets the mode before it gets the content.
    guard fchmod(file, mode) == 0, ftruncate(file, 0) == 0 else { throw failure(path) }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure(path) }
      rest = rest.dropFirst(count)
    }
  }

  private static func failure(_ path: String) -> GatewaySimulatorError {
    let reason = String(cString: strerror(errno))
    return GatewaySimulatorError(.credentials, "cannot write '\(path)': \(reason)")
  }
}

extension String {
  /// The text with another beginning.
  fileprivate func replacingPrefix(_ prefix: String, by other: String) -> String {
    hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
  }
}
