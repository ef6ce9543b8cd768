// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A certificate chain with its private key: what a server shows, or a client that is asked for it.
public struct TLSCredentials: Sendable {
  let chainPEM: String
  let keyPEM: String

  /// Takes an identity from PEM text.
  ///
  /// - Parameters:
  ///   - chainPEM: The certificate, then the intermediates that sign it, if any.
  ///   - keyPEM: The certificate's private key, PKCS#8 or PKCS#1, without a passphrase. Never
  ///     printed.
  public init(chainPEM: String, keyPEM: String) {
    self.chainPEM = chainPEM
    self.keyPEM = keyPEM
  }
}

extension TLSCredentials: CustomStringConvertible, CustomReflectable {
  /// Says that there is an identity, and nothing of its key.
  public var description: String { "TLSCredentials(<redacted>)" }

  /// Hides the key from `dump` as well.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
