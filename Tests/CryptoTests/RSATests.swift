// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Testing

@Suite struct RSATests {
  static let key = try? PrivateKey(generating: .rsa(bits: 1024))

  @Test func signsWhatOnlyItsPublicHalfAccepts() throws {
    let key = try #require(Self.key)
    let publicKey = try PublicKey(pem: try key.publicPEM())
    let message = Array("what is signed".utf8)
    var signature = try key.signature(of: message)
    #expect(publicKey.accepts(signature: signature, of: message))
    #expect(!publicKey.accepts(signature: signature, of: message + [0]))
    #expect(!publicKey.accepts(signature: [], of: message))
    signature[5] ^= 1
    #expect(!publicKey.accepts(signature: signature, of: message))
    let other = try PrivateKey(generating: .rsa(bits: 1024))
    #expect(!publicKey.accepts(signature: try other.signature(of: message), of: message))
  }

  @Test(arguments: [0, 1, 32, 117])
  func decryptsWhatWasEncryptedToIt(count: Int) throws {
    let key = try #require(Self.key)
    let publicKey = try PublicKey(pem: try key.publicPEM())
    let plaintext = try SecureRandom.bytes(count: count)
    #expect(try key.decrypt(try publicKey.encrypt(plaintext)) == plaintext)
  }

  @Test func refusesWhatItCannotDo() throws {
    let key = try #require(Self.key)
    let publicKey = try PublicKey(pem: try key.publicPEM())
    #expect(throws: CryptoError.self) { try publicKey.encrypt(Array(repeating: 1, count: 118)) }
    #expect(throws: CryptoError.self) { try key.decrypt([1, 2, 3]) }
    let curve = try PrivateKey(generating: .p256)
    #expect(throws: CryptoError.self) { try curve.signature(of: [1]) }
    #expect(throws: CryptoError.self) { try curve.decrypt([1]) }
    #expect(throws: CryptoError.self) { try PublicKey(pem: "") }
  }

  @Test func readsBackWhatItWrites() throws {
    let key = try #require(Self.key)
    let copy = try PrivateKey(pem: try key.privatePEM())
    #expect(try copy.publicPEM() == (try key.publicPEM()))
    #expect(try copy.publicKeyDigest() == (try key.publicKeyDigest()))
  }

  // The head alone makes OpenSSL look for a passphrase.
  @Test func asksForNoPassphrase() throws {
    let error = #expect(throws: CryptoError.self) {
      try PrivateKey(
        pem: """
          -----BEGIN RSA PRIVATE KEY-----
          Proc-Type: 4,ENCRYPTED
          DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF

          AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
          -----END RSA PRIVATE KEY-----

          """
      )
    }
    #expect(error?.code == .invalidKey)
  }
}

@Suite struct UnsignedIntegerTests {
  @Test(
    arguments: [
      ("0", "0", 0, [0]), ("1", "1", 1, [1]), ("7f", "7f", 7, [0x7f]), ("80", "80", 8, [0, 0x80]),
      ("00fF", "ff", 8, [0, 0xff]), ("abc", "abc", 12, [0x0a, 0xbc]), ("100", "100", 9, [1, 0]),
      ("8000", "8000", 16, [0, 0x80, 0]),
    ] as [(String, String, Int, [UInt8])]
  )
  func readsAndWrites(text: String, canonical: String, bits: Int, bytes: [UInt8]) throws {
    let number = try UnsignedInteger(hexadecimal: text)
    #expect(number.hexadecimal == canonical)
    #expect(number.bitCount == bits)
    #expect(number.twosComplementBytes == bytes)
  }

  @Test(arguments: ["", "x", "-1", "0x1", " 1"])
  func refuses(text: String) {
    #expect(throws: CryptoError.self) { try UnsignedInteger(hexadecimal: text) }
  }

  @Test func raisesLikeMultiplication() throws {
    for modulus in stride(from: 3, to: 200, by: 2) {
      var expected = 1
      for exponent in 0..<20 {
        let power = try UnsignedInteger(bytes: [7]).raised(
          to: UnsignedInteger(bytes: [UInt8(exponent)]),
          modulo: UnsignedInteger(bytes: [UInt8(modulus)])
        )
        #expect(power == UnsignedInteger(bytes: [UInt8(expected % modulus)]))
        expected = expected * 7 % modulus
      }
    }
  }

  @Test(arguments: [[], [0], [1], [2], [1, 0]] as [[UInt8]])
  func refusesModuli(bytes: [UInt8]) {
    #expect(throws: CryptoError.self) {
      try UnsignedInteger(bytes: [2]).raised(
        to: UnsignedInteger(bytes: [2]),
        modulo: UnsignedInteger(bytes: bytes)
      )
    }
  }

  @Test func comparesByValue() {
    let numbers = [[], [1], [2], [1, 0], [1, 1], [2, 0], [1, 0, 0]] as [[UInt8]]
    for (first, a) in numbers.enumerated() {
      for (second, b) in numbers.enumerated() {
        #expect((UnsignedInteger(bytes: a) < UnsignedInteger(bytes: b)) == (first < second))
      }
    }
  }
}
