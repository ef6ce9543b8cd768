// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR
import JSON
import Testing

@testable import ibkr

@Suite struct CheckListTests {
  private static let failed = Check(
    "dh-prime",
    .configuration,
    .failed,
    "the prime has colons",
    remedy: "remove them"
  )

  @Test func `A check is one line`() {
    #expect(CheckList.line(Self.failed) == "FAILED   dh-prime: the prime has colons; remove them")
    #expect(CheckList.line(Check("dns", .network, .passed, "there")) == "ok       dns: there")
    #expect(
      CheckList.json(Self.failed).text
        == #"{"name":"dh-prime","area":"configuration","outcome":"failed","#
        + #""finding":"the prime has colons","remedy":"remove them"}"#
    )
    #expect(CheckList.json(Check("dns", .network, .passed, "there"))["remedy"]?.isNull == true)
  }

  @Test(
    arguments: [
      (.configuration, .configuration), (.network, .network), (.session, .authentication),
      (.storage, .storage),
    ] as [(Check.Area, ibkr.ExitStatus)]
  )
  func `The first failure decides the exit code`(area: Check.Area, status: ibkr.ExitStatus) {
    let error = ChecksFailed(first: Check("x", area, .failed, "wrong"), count: 2)
    #expect(ibkr.ExitStatus(error) == status)
    #expect(error.description.contains("begin with x"))
  }

  @Test func `Nothing that failed is a success`() throws {
    var diagnosis = Diagnosis()
    try CheckList.conclude(diagnosis)
    diagnosis.note(Self.failed)
    let error = #expect(throws: ChecksFailed.self) { try CheckList.conclude(diagnosis) }
    #expect(error?.first == Self.failed)
    #expect(error?.count == 1)
  }

  @Test func `What to upload is said`() {
    let text = AuthSetupCommand.instructions("/home/me/my keys")
    for line in [
      "public_signature.pem      upload as \"Public Signing Key\"",
      "public_encryption.pem     upload as \"Public Encryption Key\"",
      "dhparam.pem               upload as \"Diffie-Hellman Parameters\"",
      "set -a; . '/home/me/my keys/ibind.env'; set +a",
    ] {
      #expect(text.contains(line))
    }
  }

  @Test(arguments: [
    ["auth", "setup", "-o", "keys"], ["auth", "check", "--json"],
    ["auth", "status", "--simulate"], ["auth", "logout"], ["doctor", "--offline", "-o", "data"],
    ["doctor", "--json", "--insecure"], ["config", "show", "--json"],
  ])
  func `The commands are there`(arguments: [String]) throws {
    _ = try IBKRCommand.parseAsRoot(arguments)
  }
}
