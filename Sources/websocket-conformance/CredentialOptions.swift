// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import WebSocket

/// The program's own certificate.
struct CredentialOptions: ParsableArguments {
  @Option(help: "A certificate chain (PEM): of the server, or for one that asks; needs --key.")
  var certificate: String?

  @Option(help: "The private key (PEM) of the certificate.")
  var key: String?

  func validate() throws {
    guard (certificate == nil) == (key == nil) else {
      throw ValidationError("--certificate and --key belong together.")
    }
  }

  /// The certificate and key, if there are any.
  func load() throws -> TLSCredentials? {
    guard let certificate, let key else { return nil }
    return TLSCredentials(
      chainPEM: try Self.contents(certificate),
      keyPEM: try Self.contents(key)
    )
  }

  private static func contents(_ path: String) throws -> String {
    guard let file = fopen(path, "re") else { throw LineFile.Failure(path: path, errno: errno) }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
