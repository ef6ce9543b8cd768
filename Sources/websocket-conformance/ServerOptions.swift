// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser

/// What --serve needs beyond the port.
struct ServerOptions: ParsableArguments {
  @Option(help: "With --serve: the certificate chain (PEM) of a TLS server; needs --key.")
  var certificate: String?

  @Option(help: "With --serve: the private key (PEM) of the certificate.")
  var key: String?

  func validate() throws {
    guard (certificate == nil) == (key == nil) else {
      throw ValidationError("--certificate and --key belong together.")
    }
  }
}
