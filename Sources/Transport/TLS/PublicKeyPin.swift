// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// The SHA-256 digest of a certificate's public key, written `sha256/` and base64 as curl does.
///
/// The digest is of the SubjectPublicKeyInfo (RFC 7469 section 2.4), so a certificate that is
/// renewed with the same key keeps its pin.
public struct PublicKeyPin: Sendable, Hashable, CustomStringConvertible {
  /// The pin as it is written: `sha256/` and 44 characters of base64.
  public let description: String

  /// Reads a pin; nil if the text is none.
  ///
  /// - Parameter text: `sha256/` and the base64 of 32 bytes. curl's `sha256//` is taken too.
  public init?(_ text: String) {
    guard text.hasPrefix("sha256/") else { return nil }
    var encoded = text.dropFirst("sha256/".count)
    // Base64 may begin with a slash of its own; only 45 characters can hold curl's second one.
    if encoded.utf8.count == 45, encoded.first == "/" { encoded = encoded.dropFirst() }
    let input = Array(encoded.utf8)
    // Canonical: 32 bytes are 43 characters and one `=`, so decoding and encoding gives the same.
    guard input.count == 44, input[43] == UInt8(ascii: "=") else { return nil }
    var digest = [UInt8](repeating: 0, count: 33)
    guard EVP_DecodeBlock(&digest, input, 44) == 33 else { return nil }
    digest.removeLast()
    let pin = PublicKeyPin(digest: digest)
    guard pin.description.utf8.elementsEqual("sha256/".utf8 + input) else { return nil }
    self = pin
  }

  /// The pin of a certificate's key; nil if the key cannot be encoded.
  init?(certificate: OpaquePointer) {
    var encoded: UnsafeMutablePointer<UInt8>?
    let length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded)
    guard length > 0, let encoded else { return nil }
    defer { CRYPTO_free(encoded, #file, #line) }
    var digest = [UInt8](repeating: 0, count: 32)
    guard EVP_Digest(encoded, Int(length), &digest, nil, EVP_sha256(), nil) == 1 else { return nil }
    self.init(digest: digest)
  }

  private init(digest: [UInt8]) {
    // 44 characters and the terminator that OpenSSL writes behind them.
    var encoded = [UInt8](repeating: 0, count: 45)
    let count = EVP_EncodeBlock(&encoded, digest, Int32(digest.count))
    description = "sha256/" + String(decoding: encoded.prefix(Int(count)), as: UTF8.self)
  }
}
