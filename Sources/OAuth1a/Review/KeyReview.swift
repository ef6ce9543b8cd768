// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// Looks at the two private keys, each for itself and against each other.
package struct KeyReview: Sendable {
  /// What kind of key it is, for a person: `2048-bit RSA`.
  package let summary: String
  private let key: PrivateKey

  /// Reads a key.
  ///
  /// - Parameters:
  ///   - pem: The text of its file.
  ///   - name: `signature` or `encryption`.
  /// - Throws: What is wrong with it.
  package init(pem: Secret, name: String) throws(MaterialFault) {
    let text = pem.exposedText
    if let fault = Self.fault(in: text, name) { throw fault }
    let damaged = MaterialFault(
      "is damaged, or no private key",
      remedy: "restore private_\(name).pem from your copy; if there is none, make new keys with "
        + "`ibkr auth setup` and upload them"
    )
    guard let key = try? PrivateKey(pem: text) else { throw damaged }
    guard key.isRSA else {
      throw MaterialFault(
        "is no RSA key",
        remedy: "make RSA keys with `ibkr auth setup` and upload their public halves"
      )
    }
    self.key = key
    summary = "\(key.bitCount)-bit RSA"
  }

  /// What is odd about the key's size, nil for nothing.
  package var sizeFault: MaterialFault? {
    if key.bitCount == 2048 { return nil }
    return MaterialFault(
      "has \(key.bitCount) bits, and IBKR asks for 2048",
      remedy: "make new keys with `ibkr auth setup` and upload their public halves",
      isGrave: false
    )
  }

  /// What is wrong between the two keys and the secret, nil for nothing.
  ///
  /// - Parameters:
  ///   - signature: The key that signs.
  ///   - encryption: The key that opens the secret.
  ///   - secret: The access token secret in base64, of the right form.
  /// - Returns: The fault, as the end of a sentence that begins with "the encryption key".
  package static func fault(
    signature: KeyReview,
    encryption: KeyReview,
    secret: Secret
  ) -> MaterialFault? {
    if let first = try? signature.key.publicKeyDigest(),
      let second = try? encryption.key.publicKeyDigest(), first == second
    {
      return MaterialFault(
        "is the signature key too",
        remedy: "name two different files: private_encryption.pem in "
          + "IBIND_OAUTH1A_ENCRYPTION_KEY_FP, private_signature.pem in "
          + "IBIND_OAUTH1A_SIGNATURE_KEY_FP"
      )
    }
    guard let ciphertext = try? Base64.decode(secret.exposedText) else { return nil }
    if encryption.key.opens(ciphertext) { return nil }
    if signature.key.opens(ciphertext) {
      return MaterialFault(
        "does not open the access token secret, but the signature key does: they are swapped",
        remedy: "exchange IBIND_OAUTH1A_ENCRYPTION_KEY_FP and IBIND_OAUTH1A_SIGNATURE_KEY_FP"
      )
    }
    return MaterialFault(
      "does not open the access token secret: it was generated again, or for another key",
      remedy: "copy the newest token and secret from IBKR's self-service OAuth page, and make sure "
        + "that public_encryption.pem there is of this key"
    )
  }

  /// What stands in a file that is not an unencrypted private key.
  private static func fault(in text: String, _ name: String) -> MaterialFault? {
    let file = "private_\(name).pem"
    if text.allSatisfy(\.isWhitespace) {
      return MaterialFault("is empty", remedy: "restore \(file) from your copy")
    }
    let kinds: [(mark: String, what: String, remedy: String)] = [
      (
        "BEGIN PUBLIC KEY", "is the public half",
        "name the private one, \(file); the public one is for IBKR's page"
      ),
      (
        "BEGIN ENCRYPTED PRIVATE KEY", "is protected by a passphrase",
        "take it off: openssl pkey -in OLD -out NEW"
      ),
      (
        "Proc-Type: 4,ENCRYPTED", "is protected by a passphrase",
        "take it off: openssl rsa -in OLD -out NEW"
      ),
      ("BEGIN DH PARAMETERS", "is the file with the Diffie-Hellman parameters", "name \(file)"),
      ("BEGIN CERTIFICATE", "is a certificate", "name \(file)"),
      (
        "BEGIN OPENSSH PRIVATE KEY", "is a key of ssh",
        "make keys for IBKR with `ibkr auth setup` and upload their public halves"
      ),
    ]
    if let kind = kinds.first(where: { text.contains($0.mark) }) {
      return MaterialFault(kind.what, remedy: kind.remedy)
    }
    if !text.contains("-----BEGIN") {
      return MaterialFault(
        "is no PEM text: no line with BEGIN PRIVATE KEY",
        remedy: text.hasSuffix(".pem")
          ? "name a file in IBIND_OAUTH1A_\(name.uppercased())_KEY_FP" : "name \(file)"
      )
    }
    if !text.contains("-----END") {
      return MaterialFault("is cut: its END line is missing", remedy: "restore \(file)")
    }
    return nil
  }
}
