// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import OAuth1a
import Testing

@testable import IBKR

/// Where secrets come from, in files and descriptors of this test's own.
@Suite struct SecretSourceTests {
  /// A folder that goes when the test does.
  private final class Folder {
    let path: String
    private var files: [String] = []

    init() throws {
      var template = Array("/tmp/ibkr-secrets-XXXXXX".utf8CString)
      path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
      for file in files { unlink(file) }
      rmdir(path)
    }

    func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws -> String {
      let file = "\(path)/\(name)"
      files.append(file)
      let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL, mode)
      try #require(descriptor >= 0)
      fchmod(descriptor, mode)
      _ = text.withCString { Glibc.write(descriptor, $0, text.utf8.count) }
      close(descriptor)
      return file
    }
  }

  /// The reading end of a pipe that holds a text.
  private static func pipe(_ text: String) throws -> Int32 {
    var ends: [Int32] = [0, 0]
    try #require(Glibc.pipe(&ends) == 0)
    _ = text.withCString { Glibc.write(ends[1], $0, text.utf8.count) }
    close(ends[1])
    return ends[0]
  }

  private static func value(
    of name: SecretName,
    _ variables: [String: String]
  ) throws -> String? {
    try name.value(in: EnvironmentReader(variables: variables))?.exposedText
  }

  @Test(arguments: SecretName.allCases)
  func everySourceInItsTurn(_ name: SecretName) throws {
    let folder = try Folder()
    var variables: [String: String] = [:]
    #expect(try Self.value(of: name, variables) == nil)
    variables["CREDENTIALS_DIRECTORY"] = folder.path
    #expect(try Self.value(of: name, variables) == nil)
    _ = try folder.write(name.credential, "of systemd\n")
    #expect(try Self.value(of: name, variables) == "of systemd")
    let descriptor = try Self.pipe("of a descriptor\r\n\n")
    variables[name.descriptorVariable] = "\(descriptor)"
    #expect(try Self.value(of: name, variables) == "of a descriptor")
    // Read to its end and closed: nobody can read it again.
    #expect(fcntl(descriptor, F_GETFD) == -1)
    variables[name.fileVariable] = try folder.write("file", "of a file \n")
    #expect(try Self.value(of: name, variables) == "of a file")
    variables[name.variable] = "itself"
    #expect(try Self.value(of: name, variables) == "itself")
  }

  @Test func namesAreWhatIsDocumented() {
    #expect(SecretName.accessToken.fileVariable == "IBKR_OAUTH1A_ACCESS_TOKEN_FILE")
    #expect(SecretName.accessToken.descriptorVariable == "IBKR_OAUTH1A_ACCESS_TOKEN_FD")
    #expect(SecretName.accessTokenSecret.credential == "ibkr-oauth1a-access-token-secret")
    #expect(SecretName.encryptionKey.fileVariable == "IBIND_OAUTH1A_ENCRYPTION_KEY_FP")
  }

  @Test func whatCannotBeReadIsNamedWithoutItsContents() throws {
    let folder = try Folder()
    let name = SecretName.accessToken
    let long = String(repeating: "PLANTED", count: 10_000)
    let variables = [
      [name.fileVariable: "\(folder.path)/none"], [name.fileVariable: folder.path],
      [name.fileVariable: try folder.write("empty", " \n")],
      [name.fileVariable: try folder.write("long", long)],
      [name.descriptorVariable: "1048000"],
    ]
    for variables in variables {
      let error = #expect(throws: IbkrError.self) { try Self.value(of: name, variables) }
      #expect(error?.code == .invalidConfiguration)
      #expect(error?.description.contains(variables.keys.first ?? "?") == true)
      #expect(error?.description.contains("PLANTED") == false)
    }
  }

  @Test(arguments: [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o666, true)])
  func aKeyFileThatOthersCanReadIsTold(_ mode: Int, _ isTold: Bool) throws {
    let folder = try Folder()
    var oauth = OAuth1aConfig()
    oauth.signatureKeyFile = try folder.write("it's mine.pem", "x", mode: mode_t(mode))
    let warnings = oauth.exposedKeyFiles
    #expect(warnings.count == (isTold ? 1 : 0))
    guard let warning = warnings.first else { return }
    #expect(warning.contains("mode \(String(mode, radix: 8))"))
    let command = try #require(warning.split(separator: ": ").last)
    #expect(command.hasPrefix("chmod 600 '"))
    // The command is one that a shell takes.
    #expect(system(String(command)) == 0)
    #expect(oauth.exposedKeyFiles.isEmpty)
  }

  @Test func aKeyOnOneLineIsAKey() throws {
    let server = try VirtualServer.environment()
    var oauth = try OAuth1aConfig(environment: server)
    let pem = try #require(oauth.signatureKey?.exposedText)
    oauth.signatureKey = Secret(pem.split(separator: "\n").joined(separator: "\\n"))
    _ = try oauth.credentials()
  }
}
