// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// The public half of an RSA key, owned: verifies and encrypts.
///
/// `@unchecked Sendable` for the reasons of `PrivateKey`: never changed after `init`.
package final class PublicKey: @unchecked Sendable {
  private let pointer: OpaquePointer

  /// Reads a SubjectPublicKeyInfo (RFC 5280 section 4.1).
  ///
  /// - Parameter pem: The text; what stands around the first public key is skipped.
  /// - Throws: `CryptoError` with `invalidKey`.
  package init(pem: String) throws(CryptoError) {
    let memory = try MemoryBIO()
    try memory.write(pem)
    guard let pointer = PEM_read_bio_PUBKEY(memory.pointer, nil, nil, nil) else {
      throw .drainingQueue("no usable public key in the PEM text", code: .invalidKey)
    }
    self.pointer = pointer
  }

  deinit { EVP_PKEY_free(pointer) }

  /// Whether `signature` is the key's RSASSA-PKCS1-v1_5 signature with SHA-256 of `message`.
  ///
  /// - Parameters:
  ///   - signature: The bytes to check; any length.
  ///   - message: What was signed.
  /// - Returns: False for every signature that does not fit, whatever the reason.
  package func accepts(signature: [UInt8], of message: [UInt8]) -> Bool {
    defer { ERR_clear_error() }
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    guard EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, pointer) == 1 else { return false }
    return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }

  /// Encrypts with RSAES-PKCS1-v1_5 (RFC 8017 section 7.2).
  ///
  /// - Parameter plaintext: At most eleven bytes less than the modulus has.
  /// - Returns: As many bytes as the modulus has.
  /// - Throws: `CryptoError` if the plaintext is too long or OpenSSL fails.
  package func encrypt(_ plaintext: [UInt8]) throws(CryptoError) -> [UInt8] {
    ERR_clear_error()
    let context = EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil)
    defer { EVP_PKEY_CTX_free(context) }
    var length = Int(EVP_PKEY_get_size(pointer))
    var ciphertext = [UInt8](repeating: 0, count: length)
    guard
      EVP_PKEY_encrypt_init(context) == 1,
      EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
      EVP_PKEY_encrypt(context, &ciphertext, &length, plaintext, plaintext.count) == 1
    else { throw .drainingQueue("RSA encryption", code: .invalidInput) }
    ciphertext.removeLast(ciphertext.count - length)
    return ciphertext
  }
}
