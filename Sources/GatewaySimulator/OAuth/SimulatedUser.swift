// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
package import OAuth1a

/// A user of OAuth 1.0a who is registered at the simulator: everything that IBKR's user has.
package struct SimulatedUser: Sendable {
  /// Nine capital letters; a third party has IBKR's own key for tests.
  package var consumerKey: String { isThirdParty ? "TESTCONS" : "SIMULATED" }
  /// The realm, which depends on the consumer.
  package var realm: String { isThirdParty ? "test_realm" : "limited_poa" }
  /// Whether the access token has to be asked for with the user's consent, and is not known before.
  package let isThirdParty: Bool
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
  let encryptionKey: PublicKey
  let secret: Secret

  /// Makes keys and tokens.
  ///
  /// - Parameter isThirdParty: Whether the access token has to be asked for.
  /// - Throws: `GatewaySimulatorError` if OpenSSL fails.
  package init(isThirdParty: Bool = false) throws(GatewaySimulatorError) {
    self.isThirdParty = isThirdParty
    do throws(CryptoError) {
      let encryption = try PrivateKey(generating: .rsa(bits: 2048))
      let signature = try PrivateKey(generating: .rsa(bits: 2048))
      let plaintext = try SecureRandom.bytes(count: 32)
      encryptionKey = try PublicKey(pem: try encryption.publicPEM())
      let ciphertext = try encryptionKey.encrypt(plaintext)
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

  /// RFC 3526 section 3, 2048 bits: making a safe prime of that size takes a minute.
  private static let modpGroup14 =
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a0879"
    + "8e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b"
    + "0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da4836"
    + "1c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804"
    + "f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6"
    + "955817183995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff"
}
