// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// What a user of OAuth 1.0a has: names, tokens and keys, checked for what can be checked offline.
package struct OAuth1aCredentials: Sendable {
  /// The consumer's registered name, nine capital letters (eight for `TESTCONS`).
  package let consumerKey: String
  /// The access token.
  package let accessToken: Secret
  /// `limited_poa`, or `test_realm` for `TESTCONS`.
  package let realm: String
  /// The decrypted access token secret.
  let secret: Secret
  let signatureKey: PrivateKey
  let prime: UnsignedInteger
  let generator: UnsignedInteger

  /// Reads keys and decrypts the access token secret.
  ///
  /// - Parameters:
  ///   - consumerKey: The consumer key.
  ///   - accessToken: The access token.
  ///   - accessTokenSecret: The secret in base64, encrypted to the encryption key.
  ///   - encryptionKeyPEM: The RSA key that decrypts the secret, PKCS#8 or PKCS#1.
  ///   - signatureKeyPEM: The RSA key that signs, PKCS#8 or PKCS#1.
  ///   - primeHexadecimal: The Diffie-Hellman prime in hexadecimal.
  ///   - generator: The Diffie-Hellman generator.
  ///   - realm: The realm.
  /// - Throws: `OAuth1aError`, naming the part that is wrong and what to do.
  package init(
    consumerKey: String,
    accessToken: Secret,
    accessTokenSecret: Secret,
    encryptionKeyPEM: Secret,
    signatureKeyPEM: Secret,
    primeHexadecimal: String,
    generator: Int = 2,
    realm: String = "limited_poa"
  ) throws(OAuth1aError) {
    let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
    guard (8...9).contains(consumerKey.utf8.count), consumerKey.utf8.allSatisfy(letters.contains)
    else {
      throw OAuth1aError(
        .invalidConsumerKey,
        "the consumer key is not nine capital letters; copy it from the self-service OAuth page"
      )
    }
    // A quotation mark or a line end in any of these would break out of the header.
    guard !accessToken.isEmpty, Self.isHeaderSafe(accessToken.exposedText) else {
      throw OAuth1aError(
        .invalidSecret,
        "the access token is empty or holds characters that no token has; copy it again"
      )
    }
    guard Self.isHeaderSafe(realm) else {
      throw OAuth1aError(.malformedHeader, "the realm is neither limited_poa nor test_realm")
    }
    self.consumerKey = consumerKey
    self.accessToken = accessToken
    self.realm = realm
    signatureKey = try Self.key(signatureKeyPEM, "signature")
    secret = try Self.decrypt(accessTokenSecret, with: Self.key(encryptionKeyPEM, "encryption"))
    (prime, self.generator) = try Self.parameters(primeHexadecimal, generator)
  }

  private static func key(_ pem: Secret, _ name: String) throws(OAuth1aError) -> PrivateKey {
    let advice =
      "the \(name) key is no RSA private key in PEM without a passphrase; make one with "
      + "`openssl genrsa` and upload its public half"
    let key: PrivateKey
    do throws(CryptoError) {
      key = try PrivateKey(pem: pem.exposedText)
    } catch {
      throw OAuth1aError(.invalidKey, advice, underlying: error)
    }
    guard key.isRSA else { throw OAuth1aError(.invalidKey, advice) }
    return key
  }

  private static func decrypt(
    _ secret: Secret,
    with key: PrivateKey
  ) throws(OAuth1aError) -> Secret {
    do throws(CryptoError) {
      var plaintext = try key.decrypt(Base64.decode(secret.exposedText))
      defer { SecureMemory.wipe(&plaintext) }
      return Secret(bytes: plaintext)
    } catch {
      throw OAuth1aError(
        .invalidSecret,
        "the access token secret is no base64, or the encryption key does not open it: are the "
          + "encryption and the signature key swapped, or was the token generated again?",
        underlying: error
      )
    }
  }

  private static func parameters(
    _ prime: String,
    _ generator: Int
  ) throws(OAuth1aError) -> (UnsignedInteger, UnsignedInteger) {
    // IBKR asks for 2048 bits; nothing above 8192 is a prime that somebody meant.
    guard
      let modulus = try? UnsignedInteger(hexadecimal: prime),
      (256...8192).contains(modulus.bitCount), modulus.bytes.last.map({ $0 & 1 }) == 1,
      (2...255).contains(generator)
    else {
      throw OAuth1aError(
        .invalidPrime,
        "the Diffie-Hellman prime is not the hexadecimal digits of one: take those that "
          + "`openssl asn1parse -in dhparam.pem` shows first, without colons; the generator is 2"
      )
    }
    return (modulus, UnsignedInteger(bytes: [UInt8(generator)]))
  }

  private static func isHeaderSafe(_ text: String) -> Bool {
    text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != 0x2c }
  }
}
