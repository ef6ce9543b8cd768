// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// The prime and the generator of a Diffie-Hellman exchange, freshly made.
package struct DiffieHellmanParameters: Sendable {
  /// The prime; half of it, rounded down, is a prime too.
  package let prime: UnsignedInteger
  /// The parameters as `openssl dhparam` writes them (RFC 3279 section 2.3.3, PKCS#3).
  package let pem: String

  /// Looks for a safe prime for the generator 2, as `openssl dhparam` does.
  ///
  /// That is a matter of luck: with 2048 bits some seconds as a rule and now and then minutes, in
  /// which the thread does nothing else.
  ///
  /// - Parameters:
  ///   - bits: The prime's size, 512 to 8192.
  ///   - progress: Called for every candidate that has passed a test, with how many there were so
  ///     far; answers whether to go on.
  /// - Throws: `CryptoError`, also if `progress` has said not to go on.
  package init(
    generatingBits bits: Int,
    progress: @escaping (Int) -> Bool = { _ in true }
  ) throws(CryptoError) {
    guard (512...8192).contains(bits) else {
      throw CryptoError(.invalidInput, "a Diffie-Hellman prime has 512 to 8192 bits, not \(bits)")
    }
    ERR_clear_error()
    let context = EVP_PKEY_CTX_new_from_name(nil, "DH", nil)
    defer { EVP_PKEY_CTX_free(context) }
    let observer = Observer(progress)
    defer { withExtendedLifetime(observer) {} }
    // The key type DH, unlike DHX, is PKCS#3's: a safe prime for a given generator is its default.
    guard
      EVP_PKEY_paramgen_init(context) == 1,
      EVP_PKEY_CTX_set_dh_paramgen_prime_len(context, Int32(bits)) == 1,
      EVP_PKEY_CTX_set_dh_paramgen_generator(context, 2) == 1
    else { throw .drainingQueue("Diffie-Hellman parameters") }
    EVP_PKEY_CTX_set_app_data(context, Unmanaged.passUnretained(observer).toOpaque())
    EVP_PKEY_CTX_set_cb(context) { context in
      guard let data = EVP_PKEY_CTX_get_app_data(context) else { return 1 }
      // `init` keeps the observer until the generation has ended.
      return Unmanaged<Observer>.fromOpaque(data).takeUnretainedValue().goesOn() ? 1 : 0
    }
    var key: OpaquePointer?
    defer { EVP_PKEY_free(key) }
    guard EVP_PKEY_paramgen(context, &key) == 1, let key else {
      throw .drainingQueue("Diffie-Hellman parameters")
    }
    prime = try Self.prime(of: key)
    let memory = try MemoryBIO()
    guard PEM_write_bio_Parameters(memory.pointer, key) == 1 else {
      throw .drainingQueue("Diffie-Hellman parameters as PEM")
    }
    pem = memory.contents()
  }

  private static func prime(of key: OpaquePointer) throws(CryptoError) -> UnsignedInteger {
    var number: OpaquePointer?
    defer { BN_free(number) }
    guard EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_FFC_P, &number) == 1 else {
      throw .drainingQueue("Diffie-Hellman prime")
    }
    var bytes = [UInt8](repeating: 0, count: Int(BN_num_bits(number) + 7) / 8)
    BN_bn2bin(number, &bytes)
    return UnsignedInteger(bytes: bytes)
  }

  /// What OpenSSL's callback finds behind its pointer.
  private final class Observer {
    private var count = 0
    private let progress: (Int) -> Bool

    init(_ progress: @escaping (Int) -> Bool) { self.progress = progress }

    func goesOn() -> Bool {
      count += 1
      return progress(count)
    }
  }
}
