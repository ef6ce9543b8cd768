// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@Suite struct JSONScannerTests {
  struct Seen: Equatable {
    var members: [String] = []
    var state = JSONScanner.State.scanning
  }

  static func scan(_ bytes: [UInt8]) -> Seen {
    bytes.withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      var seen = Seen()
      while let member = scanner.nextMember() {
        let name = String(decoding: scanner.bytes(member.name), as: UTF8.self)
        let content = String(decoding: scanner.bytes(member.content), as: UTF8.self)
        seen.members.append("\(name)|\(member.kind)|\(content)")
      }
      seen.state = scanner.state
      return seen
    }
  }

  static let quote = """
    {"6509":"DPB","conidEx":"265598","topic":"smd+265598","conid":265598,\
    "_updated":1777552110061,"6119":"q1","83":0.56,"server_id":"q1","84":"271.55"}
    """

  @Test func findsTheRoutingKeysInOnePass() {
    let bytes = Array(Self.quote.utf8)
    bytes.withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      var topic = ""
      var conid: Int64?
      var updated: Int64?
      var fields: [Int] = []
      while let member = scanner.nextMember() {
        switch member.key {
        case JSONKey("topic"):
          topic = String(decoding: scanner.bytes(member.content), as: UTF8.self)
        case JSONKey("conid"): conid = scanner.integer(member)
        case JSONKey("_updated"): updated = scanner.integer(member)
        default: if let field = member.key.number { fields.append(field) }
        }
      }
      #expect(scanner.state == .complete)
      #expect(topic == "smd+265598")
      #expect(conid == 265_598)
      #expect(updated == 1_777_552_110_061)
      #expect(fields == [6509, 6119, 83, 84])
    }
  }

  @Test func givesValuesVerbatim() {
    let text = """
       { "a" : 1.50 , "b":"x\\"y\\\\", "c":[1,{"d":"]}"}, "["], "e": {"f":{}} ,"g":true,"h":false,\
      "i":null,"":-1e5 }\u{20}
      """
    let seen = Self.scan(Array(text.utf8))
    #expect(seen.state == .complete)
    #expect(
      seen.members == [
        "a|number|1.50", "b|string|x\\\"y\\\\", "c|array|[1,{\"d\":\"]}\"}, \"[\"]",
        "e|object|{\"f\":{}}", "g|true|true", "h|false|false", "i|null|null", "|number|-1e5",
      ]
    )
  }

  @Test func everyCutIsTruncated() {
    let text = Array("{\"a\":[\"]\\\"\"],\"b\":{\"c\":1},\"dddddddd\":tru".utf8)
    for count in 0...text.count {
      #expect(Self.scan(Array(text[..<count])).state == .truncated, "cut at \(count)")
    }
  }

  @Test(arguments: [
    "[]", "1", "\"a\"", "{1:2}", "{\"a\" 1}", "{\"a\":}", "{\"a\":1 \"b\":2}", "{\"a\":1,}",
    "{,}", "{\"a\":truf}", "{\"a\":1}x", "{}{}", "{\"a\":1]", "x", "{\"a\":+1}",
  ])
  func refusesWhatIsNoObject(text: String) {
    #expect(Self.scan(Array(text.utf8)).state == .malformed)
  }

  @Test func bytesThatAreNotUTF8Pass() {
    let seen = Self.scan(Array("{\"a\":\"".utf8) + [0x99] + Array("\",\"b\":1}".utf8))
    #expect(seen.state == .complete)
    #expect(seen.members.count == 2)
  }

  @Test func anEmptyObjectHasNoMembers() {
    #expect(Self.scan(Array("{}".utf8)) == Seen(members: [], state: .complete))
    #expect(Self.scan(Array(" { } ".utf8)) == Seen(members: [], state: .complete))
    #expect(Self.scan([]) == Seen(members: [], state: .truncated))
  }

  @Test func keysOfEveryLengthAreToldApart() {
    for count in 0...20 {
      let key = String(repeating: "k", count: count)
      for text in ["{\"\(key)\":1}", "{\"\(key)\":1,\"padding\":\"padding\"}"] {
        Array(text.utf8).withUnsafeBytes { bytes in
          var scanner = JSONScanner(bytes)
          let member = scanner.nextMember()
          #expect(member?.key.count == count)
          #expect((member?.key == JSONKey("kkkkk")) == (count == 5))
          #expect((member?.key == JSONKey("kkkkkkkk")) == (count == 8))
        }
      }
    }
  }

  @Test func aKeyWithEscapesEqualsNothing() {
    Array("{\"t\\u006fpic\":\"x\"}".utf8).withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      let member = scanner.nextMember()
      #expect(member?.key != JSONKey("topic"))
      #expect(member.map { JSONString.text(scanner.bytes($0.name)) } == "topic")
    }
  }

  @Test(
    arguments: [
      ("0", 0), ("-0", 0), ("42", 42), ("\"42\"", 42), ("-42", -42),
      ("9223372036854775807", .max), ("-9223372036854775808", .min),
      ("9223372036854775808", nil), ("-9223372036854775809", nil), ("\"\"", nil), ("\"-\"", nil),
      ("1.0", nil), ("1e3", nil), ("\"4 2\"", nil), ("true", nil), ("null", nil), ("[1]", nil),
    ] as [(String, Int64?)]
  )
  func readsIntegersFromNumbersAndStrings(text: String, value: Int64?) {
    Array("{\"a\":\(text)}".utf8).withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      let member = scanner.nextMember()
      #expect(member.flatMap { scanner.integer($0) } == value)
    }
  }

  @Test func noBytesCrashIt() {
    var random = SplitMix(state: 7)
    let alphabet = Array("{}[]\":,\\tfn0-1. \u{1}a".utf8) + [0xFF]
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...40, using: &random)).compactMap { _ in
        alphabet.randomElement(using: &random)
      }
      // What is JSON to the letter and an object must be seen as one.
      let isObject = bytes.first == UInt8(ascii: "{")
      if isObject, JSONValidatorTests.refusal(bytes) == nil {
        #expect(Self.scan(bytes).state == .complete)
      } else {
        _ = Self.scan(bytes)
      }
    }
  }
}
