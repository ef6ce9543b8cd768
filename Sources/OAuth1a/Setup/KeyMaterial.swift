// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// Everything that a new OAuth 1.0a consumer makes on its own machine: two RSA key pairs and the
/// Diffie-Hellman parameters.
///
/// The files have the names of IBKR's guide and are what its `openssl` commands make.
package struct KeyMaterial: Sendable {
  /// A file to be written.
  package struct File: Sendable {
    /// The file's name.
    package let name: String
    /// What stands in it; a secret where ``isUploaded`` is false.
    package let content: Secret
    /// Whether the file goes to IBKR.
    package let isUploaded: Bool
  }

  /// The names of the files, the private ones first.
  package static let names = [
    "private_signature.pem", "private_encryption.pem", "public_signature.pem",
    "public_encryption.pem", "dhparam.pem",
  ]

  /// The files, in the order of ``names``.
  package let files: [File]

  /// The Diffie-Hellman prime, as `IBIND_OAUTH1A_DH_PRIME` has it.
  package let prime: String

  /// Makes keys and parameters.
  ///
  /// The thread does nothing else in the meantime: mostly some seconds, now and then minutes.
  ///
  /// - Parameters:
  ///   - primeBits: The size of the prime; 2048 is what IBKR asks for.
  ///   - progress: Called now and then with the number of candidates for the prime; answers whether
  ///     to go on.
  /// - Throws: ``OAuth1aError`` if OpenSSL fails, or if `progress` has said not to go on.
  package init(
    primeBits: Int = 2048,
    progress: @escaping (Int) -> Bool = { _ in true }
  ) throws(OAuth1aError) {
    do throws(CryptoError) {
      let signature = try PrivateKey(generating: .rsa(bits: 2048))
      let encryption = try PrivateKey(generating: .rsa(bits: 2048))
      let parameters = try DiffieHellmanParameters(
        generatingBits: primeBits,
        progress: progress
      )
      prime = parameters.prime.hexadecimal
      let contents = [
        try signature.privatePEM(), try encryption.privatePEM(), try signature.publicPEM(),
        try encryption.publicPEM(), parameters.pem,
      ]
      files = zip(Self.names, contents).map { name, content in
        File(name: name, content: Secret(content), isUploaded: !name.hasPrefix("private"))
      }
    } catch {
      throw OAuth1aError(.failed, "the keys could not be made", underlying: error)
    }
  }
}
