// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Glibc
import Testing

@testable import IBKR

@Suite(.timeLimit(.minutes(5))) struct KeyFolderTests {
  private static let names = [
    "private_signature.pem", "private_encryption.pem", "public_signature.pem",
    "public_encryption.pem", "dhparam.pem", "ibind.env",
  ]

  /// A path at which there is nothing; removed with everything in it at the end.
  private final class Place {
    let path: String

    init() throws {
      var template = Array("/tmp/key folder-XXXXXX".utf8CString)
      guard mkdtemp(&template) != nil else { throw SetUp.Failure(number: errno) }
      path = template.withUnsafeBytes { String(decoding: $0.dropLast(), as: UTF8.self) }
      rmdir(path)
    }

    deinit {
      for name in KeyFolderTests.names { unlink("\(path)/\(name)") }
      rmdir(path)
    }

    func mode(_ name: String = "") -> mode_t? {
      var status = stat()
      return stat("\(path)/\(name)", &status) == 0 ? status.st_mode & 0o777 : nil
    }

    func text(_ name: String) throws -> String {
      try SecretFile.read("\(path)/\(name)", for: name).exposedText
    }
  }

  /// The variables of a file as a shell reads it.
  private func variables(in text: String) -> [String: String] {
    var variables: [String: String] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let sides = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = String(sides[1])
      variables[String(sides[0])] =
        value.hasPrefix("'") ? String(value.dropFirst().dropLast()) : value
    }
    return variables
  }

  @Test func `What is made is for its owner alone, and passes the check`() throws {
    let place = try Place()
    try KeyFolder(path: place.path).fill(primeBits: 512) { _ in true }
    #expect(place.mode() == 0o700)
    for name in Self.names { #expect(place.mode(name) == 0o600, "\(name)") }

    // As IBKR's page would do it with the file that was uploaded.
    var environment = variables(in: try place.text("ibind.env"))
    let encryption = try PublicKey(pem: place.text("public_encryption.pem"))
    let secret = Base64.encode(try encryption.encrypt([UInt8](repeating: 7, count: 32)))
    environment["IBIND_OAUTH1A_CONSUMER_KEY"] = "SIMULATED"
    environment["IBIND_OAUTH1A_ACCESS_TOKEN"] = "8d1f0c27ab5e94630b7a"
    environment["IBIND_OAUTH1A_ACCESS_TOKEN_SECRET"] = secret
    var diagnosis = Diagnosis()
    let configuration = diagnosis.examineConfiguration(environment: environment)
    // A prime of that size is made in no time, and is not what IBKR wants.
    #expect(
      diagnosis.checks.filter { $0.outcome != .passed }.map(\.description) == [
        "dh-prime: the Diffie-Hellman prime has 512 bits, not 2048; make new parameters with "
          + "`ibkr auth setup` and upload them"
      ]
    )
    #expect(try configuration?.oauth?.credentials() != nil)

    let signature = try PrivateKey(pem: place.text("private_signature.pem"))
    #expect(signature.bitCount == 2048)
    #expect(try place.text("public_signature.pem") + "\n" == signature.publicPEM())
    let prime = try #require(environment["IBIND_OAUTH1A_DH_PRIME"])
    let body = try place.text("dhparam.pem").split(separator: "\n").filter { !$0.hasPrefix("-") }
    #expect(Hexadecimal.encode(try Base64.decode(body.joined())).contains(prime))
  }

  @Test(arguments: names)
  func `Nothing is overwritten`(name: String) throws {
    let place = try Place()
    mkdir(place.path, 0o700)
    let file = open("\(place.path)/\(name)", O_WRONLY | O_CREAT, 0o600)
    #expect(write(file, "mine", 4) == 4)
    close(file)
    let error = #expect(throws: IbkrError.self) { try KeyFolder(path: place.path) }
    #expect(error?.code == .storage)
    #expect(error?.description.contains(name) == true)
    #expect(error?.remedy?.contains("another folder") == true)
    #expect(try place.text(name) == "mine")
  }

  @Test func `What came in the meantime is left alone`() throws {
    let place = try Place()
    let folder = try KeyFolder(path: place.path)
    let error = #expect(throws: IbkrError.self) {
      try folder.fill(primeBits: 512) { count in
        if count == 1 {
          close(open("\(place.path)/dhparam.pem", O_WRONLY | O_CREAT, 0o600))
        }
        return true
      }
    }
    #expect(error?.code == .storage)
    #expect(place.mode("dhparam.pem") != nil)
    #expect(place.mode("private_signature.pem") == nil)
  }

  @Test func `Nothing is left behind when nobody waits`() throws {
    let place = try Place()
    let folder = try KeyFolder(path: place.path)
    let error = #expect(throws: IbkrError.self) {
      try folder.fill(primeBits: 2048) { _ in false }
    }
    #expect(error?.code == .closed)
    #expect(place.mode("private_signature.pem") == nil)
  }

  @Test func `A folder that others can look into is refused, with the command against it`() throws {
    let place = try Place()
    mkdir(place.path, 0o755)
    chmod(place.path, 0o755)
    let error = #expect(throws: IbkrError.self) { try KeyFolder(path: place.path) }
    #expect(error?.remedy == "chmod 700 '\(place.path)'")
  }

  @Test(arguments: ["", "two\nlines", "/proc/1/no-such/keys", "/dev/null"])
  func `A place where no folder can be is refused`(path: String) {
    let error = #expect(throws: IbkrError.self) {
      try KeyFolder(path: path).fill(primeBits: 512) { _ in true }
    }
    #expect(error?.code == .storage)
  }

  @Test(arguments: [
    ("/home/me/keys", "/home/me/keys"), ("/home/my keys", "'/home/my keys'"),
    ("/it's", "'/it'\\''s'"), ("$HOME", "'$HOME'"), ("a;b", "'a;b'"),
  ])
  func `A path is a word for a shell`(path: String, word: String) {
    #expect(ShellWord.quoted(path) == word)
  }
}
