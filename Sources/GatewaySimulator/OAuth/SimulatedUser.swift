// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
package import OAuth1a

/// A user of OAuth 1.0a who is registered at the simulator: everything that IBKR's user has.
package struct SimulatedUser: Sendable {
  /// Nine capital letters.
  package let consumerKey = "SIMULATED"
  /// The realm of first-party consumers.
  package let realm = "limited_poa"
  /// Twenty hexadecimal digits.
  package let accessToken: Secret
  /// The secret in base64, encrypted to the encryption key.
  package let accessTokenSecret: Secret
  /// The key that decrypts the secret, PKCS#8.
  package let encryptionKeyPEM: Secret
  /// The key that signs, PKCS#8.
  package let signatureKeyPEM: Secret
  /// The Diffie-Hellman prime in hexadecimal; the generator is 2.
  package let prime = Self.modpGroup14

  /// What the server knows of the keys.
  let signatureKey: PublicKey
  let secret: Secret

  /// Makes keys and tokens.
  ///
  /// - Throws: `GatewaySimulatorError` if OpenSSL fails.
  package init() throws(GatewaySimulatorError) {
    do throws(CryptoError) {
      let encryption = try PrivateKey(generating: .rsa(bits: 2048))
      let signature = try PrivateKey(generating: .rsa(bits: 2048))
      let plaintext = try SecureRandom.bytes(count: 32)
      let ciphertext = try PublicKey(pem: try encryption.publicPEM()).encrypt(plaintext)
      secret = Secret(bytes: plaintext)
      accessToken = Secret(Hexadecimal.encode(try SecureRandom.bytes(count: 10)))
      accessTokenSecret = Secret(Base64.encode(ciphertext))
      encryptionKeyPEM = Secret(try encryption.privatePEM())
      signatureKeyPEM = Secret(try signature.privatePEM())
      signatureKey = try PublicKey(pem: try signature.publicPEM())
    } catch {
      throw GatewaySimulatorError(.certificate, "no keys for the simulated user: \(error)")
    }
  }

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
      "IBIND_USE_OAUTH=True", "IBIND_CACERT=\(ca)", "IBIND_OAUTH1A_REST_URL=\(url)/",
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

  /// RFC 3526 section 3, 2048 bits: making a safe prime of that size takes a minute.
  private static let modpGroup14 =
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a0879"
    + "8e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b"
    + "0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da4836"
    + "1c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804"
    + "f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6"
    + "955817183995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff"
}

extension String {
  /// The text with another beginning.
  fileprivate func replacingPrefix(_ prefix: String, by other: String) -> String {
    hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
  }
}
