// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import COpenSSL

/// The hash functions that the protocols here need.
public enum DigestAlgorithm: Sendable, Hashable, CaseIterable {
  /// SHA-1 (FIPS 180-4), 20 bytes: only where a protocol fixes it, as OAuth's live session token.
  case sha1
  /// SHA-256 (FIPS 180-4), 32 bytes.
  case sha256

  /// The length of a digest in bytes.
  public var byteCount: Int {
    switch self {
    case .sha1: 20
    case .sha256: 32
    }
  }

  /// The name by which OpenSSL's providers know it.
  var name: String {
    switch self {
    case .sha1: "SHA1"
    case .sha256: "SHA256"
    }
  }

  /// OpenSSL's description, a static object that needs no release.
  var method: OpaquePointer? {
    switch self {
    case .sha1: EVP_sha1()
    case .sha256: EVP_sha256()
    }
  }
}

/// A digest computed piece by piece.
///
/// Used for files and streams; `Digest.of(_:_:)` hashes what is in memory already.
package struct Digest: ~Copyable {
  private let context: OpaquePointer
  private let algorithm: DigestAlgorithm

  /// Starts a digest over nothing.
  ///
  /// - Parameter algorithm: The hash function.
  /// - Throws: `CryptoError` if OpenSSL has no memory or its policy forbids the function.
  package init(_ algorithm: DigestAlgorithm) throws(CryptoError) {
    ERR_clear_error()
    guard let context = EVP_MD_CTX_new() else { throw .drainingQueue("digest") }
    guard EVP_DigestInit_ex(context, algorithm.method, nil) == 1 else {
      EVP_MD_CTX_free(context)
      throw .drainingQueue("digest \(algorithm.name)")
    }
    self.context = context
    self.algorithm = algorithm
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Adds bytes.
  ///
  /// - Parameter bytes: The next piece; it may be empty.
  /// - Throws: `CryptoError` if OpenSSL fails.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) throws(CryptoError) {
    ERR_clear_error()
    guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
      throw .drainingQueue("digest \(algorithm.name)")
    }
  }

  /// Adds bytes.
  ///
  /// - Parameter bytes: The next piece; it may be empty.
  /// - Throws: `CryptoError` if OpenSSL fails.
  package mutating func update(_ bytes: [UInt8]) throws(CryptoError) {
    try bytes.withUnsafeBufferPointer { bytes throws(CryptoError) in
      try update(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Ends the digest.
  ///
  /// - Returns: `algorithm.byteCount` bytes.
  /// - Throws: `CryptoError` if OpenSSL fails.
  package consuming func finish() throws(CryptoError) -> [UInt8] {
    ERR_clear_error()
    var digest = [UInt8](repeating: 0, count: algorithm.byteCount)
    guard EVP_DigestFinal_ex(context, &digest, nil) == 1 else {
      throw .drainingQueue("digest \(algorithm.name)")
    }
    return digest
  }

  /// Hashes bytes in one call.
  ///
  /// - Parameters:
  ///   - bytes: All of the input.
  ///   - algorithm: The hash function.
  /// - Returns: `algorithm.byteCount` bytes.
  /// - Throws: `CryptoError` if OpenSSL fails.
  package static func of(
    _ bytes: [UInt8],
    _ algorithm: DigestAlgorithm
  ) throws(CryptoError) -> [UInt8] {
    var digest = try Digest(algorithm)
    try digest.update(bytes)
    return try digest.finish()
  }
}
