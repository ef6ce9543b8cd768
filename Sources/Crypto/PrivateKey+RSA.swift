// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

extension PrivateKey {
  /// Signs with RSASSA-PKCS1-v1_5 and SHA-256 (RFC 8017 section 8.2).
  ///
  /// - Parameter message: What is signed; it is hashed here.
  /// - Returns: As many bytes as the modulus has.
  /// - Throws: `CryptoError` with `invalidKey` if this is not an RSA key, or if OpenSSL fails.
  package func signature(of message: [UInt8]) throws(CryptoError) -> [UInt8] {
    guard isRSA else { throw CryptoError(.invalidKey, "not an RSA key") }
    ERR_clear_error()
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var length = 0
    guard
      EVP_DigestSignInit(context, nil, EVP_sha256(), nil, pointer) == 1,
      EVP_DigestSign(context, nil, &length, message, message.count) == 1
    else { throw .drainingQueue("RSA signature") }
    var signature = [UInt8](repeating: 0, count: length)
    guard EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else {
      throw .drainingQueue("RSA signature")
    }
    signature.removeLast(signature.count - length)
    return signature
  }

  /// Decrypts RSAES-PKCS1-v1_5 (RFC 8017 section 7.2).
  ///
  /// - Parameter ciphertext: What was encrypted to this key's public half.
  /// - Returns: The plaintext.
  /// - Throws: `CryptoError`: not an RSA key, or a ciphertext of another key. Newer versions of
  ///   OpenSSL answer the latter with random bytes instead, so that a caller cannot be made an
  ///   oracle: whether the plaintext is the right one has to show elsewhere.
  package func decrypt(_ ciphertext: [UInt8]) throws(CryptoError) -> [UInt8] {
    guard isRSA else { throw CryptoError(.invalidKey, "not an RSA key") }
    ERR_clear_error()
    let context = EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil)
    defer { EVP_PKEY_CTX_free(context) }
    guard
      EVP_PKEY_decrypt_init(context) == 1,
      EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
    else { throw .drainingQueue("RSA decryption") }
    var length = Int(EVP_PKEY_get_size(pointer))
    var plaintext = [UInt8](repeating: 0, count: length)
    defer { SecureMemory.wipe(&plaintext) }
    guard
      EVP_PKEY_decrypt(context, &plaintext, &length, ciphertext, ciphertext.count) == 1
    else { throw .drainingQueue("RSA decryption: another key, or damaged", code: .invalidInput) }
    return Array(plaintext[..<length])
  }

  /// Whether a ciphertext was encrypted to this key, by the look of the padding (RFC 8017 section
  /// 7.2.1).
  ///
  /// Unlike `decrypt(_:)` it is certain with every version of OpenSSL; the price is that it tells an
  /// attacker as much. It is for the owner's own files, and must not answer to a network.
  ///
  /// - Parameter ciphertext: What was encrypted to some key.
  /// - Returns: False for another key's ciphertext, but for a chance of 1 in some 60,000.
  package func opens(_ ciphertext: [UInt8]) -> Bool {
    guard isRSA, ciphertext.count == Int(EVP_PKEY_get_size(pointer)) else { return false }
    defer { ERR_clear_error() }
    let context = EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil)
    defer { EVP_PKEY_CTX_free(context) }
    var length = ciphertext.count
    var padded = [UInt8](repeating: 0, count: length)
    defer { SecureMemory.wipe(&padded) }
    guard
      EVP_PKEY_decrypt_init(context) == 1,
      EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1,
      EVP_PKEY_decrypt(context, &padded, &length, ciphertext, ciphertext.count) == 1,
      length == padded.count, padded.starts(with: [0, 2])
    else { return false }
    // At least eight bytes of padding, then the zero that ends it.
    return padded.dropFirst(2).firstIndex(of: 0).map { $0 >= 10 } ?? false
  }
}
