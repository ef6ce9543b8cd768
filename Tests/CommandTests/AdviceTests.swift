// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import Recording
import Testing

@testable import ibkr

@Suite struct AdviceTests {
  @Test(
    arguments: [
      ("recrod AAPL", "there is no command ibkr recrod: did you mean ibkr record?"),
      ("AAPL MSFT", "there is no command ibkr AAPL: did you mean ibkr stream AAPL?"),
      ("auth Status", "there is no command ibkr auth Status: did you mean ibkr auth status?"),
      ("record AAPL", nil), ("--version", nil), ("", nil), ("help record", nil), ("auth", nil),
    ] as [(String, String?)]
  )
  func commandsThatDoNotExist(_ line: String, _ expected: String?) {
    #expect(Advice.unknownCommand(in: line.split(separator: " ").map(String.init)) == expected)
  }

  @Test func theServerThatWasMeantIsMeantAgain() {
    let advice = Advice.next(
      after: IbkrError(.network, "refused"),
      ["record", "AAPL", "--gateway=https://h:1/v1/api", "--ca", "my ca.pem", "-o", "data"]
    )
    #expect(
      advice
        == "to see what is wrong: ibkr doctor --gateway https://h:1/v1/api --ca 'my ca.pem'"
    )
  }

  @Test func aPasswordInAnAddressIsNotRepeated() {
    let arguments = ["stream", "AAPL", "--gateway", "https://me:PLANTED@h/v1/api"]
    let advice = Advice.next(after: IbkrError(.network, "refused"), arguments)
    #expect(advice?.contains("PLANTED") == false)
  }

  @Test(
    arguments: [
      (IbkrError.Code.authentication, "ibkr doctor"), (.unknownSymbol, "ibkr search"),
      (.invalidConfiguration, "ibkr config"), (.rateLimited, nil), (.ambiguousSymbol, nil),
    ] as [(IbkrError.Code, String?)]
  )
  func everyKindOfErrorHasItsCommand(_ code: IbkrError.Code, _ command: String?) {
    let advice = Advice.next(after: IbkrError(code, "x"), [])
    #expect(command.map { advice?.contains($0) == true } ?? (advice == nil), "\(advice ?? "")")
  }

  @Test func aDirectoryThatCannotBeUsedIsLookedAt() {
    let error = StorageError("write", "/x", reason: "no space")
    #expect(
      Advice.next(after: error, ["record", "-o", "/x"])
        == "to see what is wrong: ibkr doctor --offline -o /x"
    )
    #expect(Advice.next(after: error, ["verify", "/x"]) == nil)
  }
}
