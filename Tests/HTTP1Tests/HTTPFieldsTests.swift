// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing

@Suite struct HTTPFieldsTests {
  @Test func keepsOrderAndCaseAndComparesWithoutCase() throws {
    var fields = try HTTPFields([("Host", "a"), ("cookie", "x=1"), ("Cookie", "y=2")])
    #expect(fields["COOKIE"] == "x=1")
    #expect(fields.values(of: "Cookie") == ["x=1", "y=2"])
    #expect(fields.map(\.name) == ["Host", "cookie", "Cookie"])
    try fields.set("HOST", "b")
    #expect(fields.map(\.name) == ["cookie", "Cookie", "HOST"])
    fields.removeAll(named: "cookie")
    #expect(fields.map(\.value) == ["b"])
    #expect(fields["missing"] == nil)
  }

  @Test(arguments: [
    "a: b", "", "a b", "a\r", "a\n", "a\0", "ä", "a\t", ":", "(a)",
  ])
  func refusesNamesThatAreNotTokens(name: String) {
    #expect(
      refusal { try HTTPFields([(name, "v")]) } == .invalidFieldName
    )
  }

  @Test(arguments: ["a\r\nX: y", "\r", "\n", "a\0b", "\u{7F}", "\u{1B}[2J"])
  func refusesValuesThatWouldBreakOutOfTheirLine(value: String) {
    let code = refusal { try HTTPFields([("Cookie", value)]) }
    #expect(code == .invalidFieldValue)
  }

  @Test func aFailedSetChangesNothing() throws {
    var fields = try HTTPFields([("A", "1")])
    #expect(throws: HTTPError.self) { try fields.set("A", "\n") }
    #expect(fields["A"] == "1")
  }

  @Test func trimsValues() throws {
    let fields = try HTTPFields([("A", " \t x y \t "), ("B", " "), ("C", "")])
    #expect(fields.map(\.value) == ["x y", "", ""])
  }

  @Test(arguments: [
    (["keep-alive, Upgrade"], ["keep-alive", "Upgrade"]),
    (["keep-alive", "UPGRADE"], ["keep-alive", "UPGRADE"]),
    ([" , a,, b ,"], ["a", "b"]),
    (["x;y=\"a,b\", z"], ["x;y=\"a,b\"", "z"]),
    (["x;y=\"a\\\",b\", z"], ["x;y=\"a\\\",b\"", "z"]),
    (["x=\"open, z"], ["x=\"open, z"]),
    ([""], []),
    ([], []),
  ])
  func splitsLists(lines: [String], members: [String]) throws {
    let fields = try HTTPFields(lines.map { ("Connection", $0) })
    #expect(fields.listMembers(of: "connection") == members)
  }

  @Test func findsTokensInAnyCaseButNotPartsOfTokens() throws {
    let fields = try HTTPFields([("Connection", "keep-alive, UPGRADE")])
    #expect(fields.contains(token: "upgrade", in: "connection"))
    #expect(!fields.contains(token: "grade", in: "connection"))
    #expect(!fields.contains(token: "upgrade", in: "upgrade"))
  }

  @Test func aFieldThatMayStandOnceOnlyIsCounted() throws {
    let fields = try HTTPFields([("A", "1"), ("a", "1"), ("B", "2")])
    #expect(try fields.single("b") == "2")
    #expect(try fields.single("c") == nil)
    #expect(throws: HTTPError(.duplicateField, "A")) { try fields.single("A") }
  }

  @Test func neverShowsAValue() throws {
    let fields = try HTTPFields([("Authorization", "SECRET"), ("Cookie", "api=SECRET")])
    let head = try RequestHead(method: .get, target: "/ws?oauth_token=SECRET", fields: fields)
    var dumped = ""
    dump(head, to: &dumped)
    dump(fields, to: &dumped)
    dump(fields[0], to: &dumped)
    for text in [
      "\(fields)", "\(fields[0])", String(reflecting: fields), "\(head)",
      String(reflecting: head), dumped,
    ] {
      #expect(!text.contains("SECRET"))
    }
  }
}
