// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Testing

@Suite struct Base64Tests {
  // RFC 4648 section 10.
  static let vectors = [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
  ]

  @Test(arguments: vectors)
  func matchesTheStandard(text: String, encoded: String) throws {
    #expect(Base64.encode(Array(text.utf8)) == encoded)
    #expect(try Base64.decode(encoded) == Array(text.utf8))
  }

  @Test func usesTheWholeAlphabet() throws {
    let all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    #expect(Base64.encode(try Base64.decode(all)) == all)
  }

  @Test func roundTripsEveryLength() throws {
    for count in 0...200 {
      let bytes = try SecureRandom.bytes(count: count)
      let text = Base64.encode(bytes)
      #expect(text.utf8.count == (count + 2) / 3 * 4)
      #expect(try Base64.decode(text) == bytes)
    }
  }

  @Test(
    "Refuses what is not the one canonical text",
    arguments: [
      "Z", "Zg", "Zg=", "Zg===", "=", "====", "Zg==Zg==", "Zh==", "Zm9=", "Zm9v\n", " Zm9v",
      "Zm-_", "Zm\u{e9}v", "Z=g=", "Zm9vA===",
    ]
  )
  func refuses(text: String) {
    #expect(throws: CryptoError.self) { try Base64.decode(text) }
  }
}

@Suite struct HexadecimalTests {
  @Test(arguments: [("", []), ("00", [0]), ("0aff", [10, 255]), ("0AfF", [10, 255])])
  func decodes(text: String, bytes: [UInt8]) throws {
    #expect(try Hexadecimal.decode(text) == bytes)
    #expect(Hexadecimal.encode(bytes) == text.lowercased())
  }

  @Test(arguments: ["0", "abc", "0x", "0g", " 00", "00\n", "é0"])
  func refuses(text: String) {
    #expect(throws: CryptoError.self) { try Hexadecimal.decode(text) }
  }
}

@Suite struct SecureMemoryTests {
  @Test func comparesContents() {
    #expect(SecureMemory.areEqual([], []))
    #expect(SecureMemory.areEqual([1, 2], [1, 2]))
    #expect(!SecureMemory.areEqual([1, 2], [1, 3]))
    #expect(!SecureMemory.areEqual([1, 2], [1, 2, 3]))
  }

  @Test func wipes() {
    var bytes: [UInt8] = [1, 2, 3]
    bytes.withUnsafeMutableBytes {
      SecureMemory.wipe($0)
      #expect($0.allSatisfy { $0 == 0 })
    }
    SecureMemory.wipe(&bytes)
    #expect(bytes.isEmpty)
  }

  @Test func randomBytesDiffer() throws {
    #expect(try SecureRandom.bytes(count: 0).isEmpty)
    let first = try SecureRandom.bytes(count: 32)
    #expect(first.count == 32)
    #expect(try SecureRandom.bytes(count: 32) != first)
  }
}
