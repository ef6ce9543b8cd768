// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Testing

@Suite struct DigestTests {
  // FIPS 180-4's examples (NIST's "Secure Hashing" example values).
  static let vectors: [(text: String, algorithm: DigestAlgorithm, digest: String)] = [
    ("", .sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("abc", .sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", .sha1,
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
    ),
    ("", .sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", .sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", .sha256,
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ]

  @Test(arguments: vectors)
  func matchesThePublishedValues(
    text: String,
    algorithm: DigestAlgorithm,
    digest: String
  ) throws {
    #expect(Hexadecimal.encode(try Digest.of(Array(text.utf8), algorithm)) == digest)
  }

  @Test(arguments: DigestAlgorithm.allCases)
  func piecesGiveTheSameAsTheWhole(algorithm: DigestAlgorithm) throws {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let whole = try Digest.of(bytes, algorithm)
    #expect(whole.count == algorithm.byteCount)
    for split in 0...bytes.count {
      var digest = try Digest(algorithm)
      try digest.update(Array(bytes[..<split]))
      try digest.update(Array(bytes[split...]))
      #expect(try digest.finish() == whole)
    }
  }
}

@Suite struct HMACTests {
  // RFC 2202 section 3 (SHA-1) and RFC 4231 section 4 (SHA-256), cases 1, 2 and the long key.
  static let vectors: [(key: [UInt8], text: String, algorithm: DigestAlgorithm, code: String)] = [
    (
      Array(repeating: 0x0b, count: 20), "Hi There", .sha1,
      "b617318655057264e28bc0b6fb378c8ef146be00"
    ),
    (
      Array("Jefe".utf8), "what do ya want for nothing?", .sha1,
      "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
    ),
    (
      Array(repeating: 0xaa, count: 80), "Test Using Larger Than Block-Size Key - Hash Key First",
      .sha1, "aa4ae5e15272d00e95705637ce8a3b55ed402112"
    ),
    (
      Array(repeating: 0x0b, count: 20), "Hi There", .sha256,
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), "what do ya want for nothing?", .sha256,
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      Array(repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
      .sha256, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
    // An empty key is legal; computed with Python's hmac module.
    ([], "", .sha256, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
  ]

  @Test(arguments: vectors)
  func matchesThePublishedValues(
    key: [UInt8],
    text: String,
    algorithm: DigestAlgorithm,
    code: String
  ) throws {
    #expect(
      Hexadecimal.encode(try HMAC.authenticate(Array(text.utf8), key: key, algorithm)) == code
    )
  }
}
