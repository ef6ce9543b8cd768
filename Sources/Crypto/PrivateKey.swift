// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// A private key, owned.
///
/// `@unchecked Sendable`: the key is never changed after `init`, and OpenSSL 3 allows concurrent
/// use of one `EVP_PKEY` for signing, decrypting and reading (its reference count and its caches
/// are guarded inside).
package final class PrivateKey: @unchecked Sendable {
  /// What to generate.
  package enum Kind: Sendable, Hashable {
    /// The NIST curve P-256.
    case p256
    /// RSA with this many bits and the public exponent 65537.
    case rsa(bits: Int)
  }

  let pointer: OpaquePointer

  private init(owning pointer: OpaquePointer) {
    self.pointer = pointer
  }

  deinit { EVP_PKEY_free(pointer) }

  /// Makes a new key.
  ///
  /// - Parameter kind: The algorithm and its size.
  /// - Throws: `CryptoError` if OpenSSL fails or the size is out of range.
  package convenience init(generating kind: Kind) throws(CryptoError) {
    ERR_clear_error()
    let key: OpaquePointer?
    switch kind {
    case .p256:
      key = copenssl_generate_p256()
    case .rsa(let bits):
      guard (512...8192).contains(bits) else {
        throw CryptoError(.invalidInput, "an RSA key has 512 to 8192 bits, not \(bits)")
      }
      key = copenssl_generate_rsa(UInt32(bits))
    }
    guard let key else { throw .drainingQueue("key generation") }
    self.init(owning: key)
  }

  /// Reads a key from PEM text, in the PKCS#8 (RFC 5958) or the PKCS#1 (RFC 8017) form.
  ///
  /// - Parameter pem: The text; what stands before and after the first private key is skipped.
  /// - Throws: `CryptoError` with `invalidKey`, also for a key under a passphrase: nothing here
  ///   asks for one.
  package convenience init(pem: String) throws(CryptoError) {
    ERR_clear_error()
    let memory = try MemoryBIO()
    try memory.write(pem)
    // Without a callback OpenSSL would ask for the passphrase on the terminal.
    let refuse:
      @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?)
        -> Int32 = { _, _, _, _ in -1 }
    guard let key = PEM_read_bio_PrivateKey(memory.pointer, nil, refuse, nil) else {
      throw .drainingQueue("no usable private key in the PEM text", code: .invalidKey)
    }
    self.init(owning: key)
  }

  /// The key's size in bits: of the modulus for RSA, of the field for curves.
  package var bitCount: Int { Int(EVP_PKEY_get_bits(pointer)) }

  /// Whether this is an RSA key.
  package var isRSA: Bool { EVP_PKEY_is_a(pointer, "RSA") == 1 }

  /// Writes the private key as unencrypted PKCS#8.
  ///
  /// - Returns: PEM text, a secret.
  /// - Throws: `CryptoError` if OpenSSL fails.
  package func privatePEM() throws(CryptoError) -> String {
    let memory = try MemoryBIO()
    guard PEM_write_bio_PrivateKey(memory.pointer, pointer, nil, nil, 0, nil, nil) == 1 else {
      throw .drainingQueue("private key as PEM")
    }
    return memory.contents()
  }

  /// Writes the public half as a SubjectPublicKeyInfo (RFC 5280 section 4.1).
  ///
  /// - Returns: PEM text.
  /// - Throws: `CryptoError` if OpenSSL fails.
  package func publicPEM() throws(CryptoError) -> String {
    let memory = try MemoryBIO()
    guard PEM_write_bio_PUBKEY(memory.pointer, pointer) == 1 else {
      throw .drainingQueue("public key as PEM")
    }
    return memory.contents()
  }

  /// The SHA-256 of the public key's SubjectPublicKeyInfo: what a key pin names.
  ///
  /// - Returns: 32 bytes.
  /// - Throws: `CryptoError` if OpenSSL fails.
  package func publicKeyDigest() throws(CryptoError) -> [UInt8] {
    ERR_clear_error()
    var encoded: UnsafeMutablePointer<UInt8>?
    let length = i2d_PUBKEY(pointer, &encoded)
    guard length > 0, let encoded else { throw .drainingQueue("public key as DER") }
    defer { CRYPTO_free(encoded, #file, #line) }
    var digest = try Digest(.sha256)
    try digest.update(UnsafeRawBufferPointer(start: encoded, count: Int(length)))
    return try digest.finish()
  }
}
