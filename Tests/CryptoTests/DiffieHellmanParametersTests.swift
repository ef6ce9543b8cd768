// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Testing

@Suite struct DiffieHellmanParametersTests {
  @Test func `A prime that is made is a safe one`() throws {
    var candidates = 0
    let parameters = try DiffieHellmanParameters(generatingBits: 512) { count in
      candidates = count
      return true
    }
    #expect(candidates > 0)
    #expect(parameters.prime.bitCount == 512)
    #expect(try parameters.prime.isProbablyPrime())
    #expect(try parameters.prime.half.isProbablyPrime())
    #expect(try parameters.prime.isProbablySafePrime())
    #expect(parameters.pem.hasPrefix("-----BEGIN DH PARAMETERS-----\n"))
    // The file holds this prime: DER has its bytes as they are, after a zero for the sign.
    let body = parameters.pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
    let digits = Hexadecimal.encode(try Base64.decode(body))
    #expect(digits.contains("0241" + "00" + parameters.prime.hexadecimal))
    #expect(digits.hasSuffix("020102"), "the generator is 2")
  }

  @Test func `The search ends when nobody wants it any more`() {
    #expect(throws: CryptoError.self) {
      try DiffieHellmanParameters(generatingBits: 2048) { $0 < 3 }
    }
  }

  @Test(arguments: [-1, 0, 256, 100_000])
  func `A size that makes no sense is refused`(bits: Int) {
    #expect(throws: CryptoError.self) { try DiffieHellmanParameters(generatingBits: bits) }
  }

  @Test(
    arguments: [
      ("0", false), ("1", false), ("2", true), ("3", true), ("9", false), ("101", true),
      // The Carmichael number 561, and 2^127 - 1.
      ("231", false), ("7fffffffffffffffffffffffffffffff", true),
    ]
  )
  func `Primes are told from others`(digits: String, isPrime: Bool) throws {
    #expect(try UnsignedInteger(hexadecimal: digits).isProbablyPrime() == isPrime)
  }

  @Test func `Safe primes are told from others`() throws {
    let safe = try (0..<2_000).filter { number in
      let bytes = [UInt8(number >> 8), UInt8(number & 255)]
      return try UnsignedInteger(bytes: bytes).isProbablySafePrime()
    }
    // A005385 of the On-Line Encyclopedia of Integer Sequences, without 5 and 7.
    #expect(
      safe == [
        11, 23, 47, 59, 83, 107, 167, 179, 227, 263, 347, 359, 383, 467, 479, 503, 563, 587, 719,
        839, 863, 887, 983, 1_019, 1_187, 1_283, 1_307, 1_319, 1_367, 1_439, 1_487, 1_523, 1_619,
        1_823, 1_907,
      ]
    )
  }

  @Test(arguments: [("0", "0"), ("1", "0"), ("2", "1"), ("101", "80"), ("ffff", "7fff")])
  func `Half is rounded down`(digits: String, half: String) throws {
    let number = try UnsignedInteger(hexadecimal: digits)
    #expect(number.half.hexadecimal == half)
    #expect(number.isOdd == ["1", "101", "ffff"].contains(digits))
  }

  @Test func `A key knows what was encrypted to it`() throws {
    let (key, other) = (
      try PrivateKey(generating: .rsa(bits: 1024)), try PrivateKey(generating: .rsa(bits: 1024))
    )
    let ciphertext = try PublicKey(pem: try key.publicPEM()).encrypt([1, 2, 3])
    #expect(key.opens(ciphertext))
    // The padding of another key's text looks right once in some 60,000 times.
    let wrong = try (0..<5).filter { _ in
      other.opens(try PublicKey(pem: try key.publicPEM()).encrypt([1, 2, 3]))
    }
    #expect(wrong.count < 2)
    #expect(!key.opens([]))
    #expect(!key.opens(Array(ciphertext.dropLast())))
    #expect(!key.opens([UInt8](repeating: 0xff, count: ciphertext.count)))
  }
}
