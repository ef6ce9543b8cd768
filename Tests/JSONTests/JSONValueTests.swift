// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@Suite struct JSONValueTests {
  static func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

  @Test func takesNumbersStringsAndBooleansForOneAnother() throws {
    let value = try Self.parse(
      """
      {"i":265598,"s":"265598","f":1.50,"e":1.22E7,"t":true,"ts":"TRUE","z":0,"n":null,"x":"N/A"}
      """
    )
    #expect(value["i"]?.int == 265_598)
    #expect(value["s"]?.int == 265_598)
    #expect(value["i"]?.string == "265598")
    #expect(value["f"]?.string == "1.50")
    #expect(value["f"]?.int == nil)
    #expect(value["f"]?.decimal?.description == "1.50")
    #expect(value["e"]?.int == 12_200_000)
    #expect(value["t"]?.bool == true)
    #expect(value["ts"]?.bool == true)
    #expect(value["z"]?.bool == false)
    #expect(value["n"]?.isNull == true)
    #expect(value["n"]?.bool == nil)
    #expect(value["n"]?.string == nil)
    #expect(value["x"]?.decimal == nil)
    #expect(value["missing"] == nil)
    #expect(value[0] == nil)
  }

  @Test func keepsOrderDigitsAndRepeatedKeys() throws {
    let text = "{\"b\":1.10,\"a\":[1e5,-0,\"\\u0001\"],\"b\":{\"c\":[]}}"
    let value = try Self.parse(text)
    #expect(value.text == text)
    #expect(value.members?.map(\.key) == ["b", "a", "b"])
    #expect(value["b"] == ["c": []])
    #expect(value["a"]?.elements?.count == 3)
    #expect(value["a"]?[2]?.string == "\u{1}")
    #expect(value["a"]?[3] == nil)
    #expect(value["a"]?[-1] == nil)
  }

  @Test func bodiesAreWrittenAsLiterals() {
    let body: JSONValue = ["publish": true, "n": [1, nil, "a\"b"], "o": [:]]
    #expect(body.text == "{\"publish\":true,\"n\":[1,null,\"a\\\"b\"],\"o\":{}}")
  }

  static func random(_ random: inout SplitMix, depth: Int = 0) -> JSONValue {
    switch Int.random(in: 0...(depth < 4 ? 6 : 4), using: &random) {
    case 0: .null
    case 1: .bool(.random(using: &random))
    case 2: .number(String(Int64.random(in: .min ... .max, using: &random)))
    case 3: .number("-\(UInt8.random(in: 1...9, using: &random)).50E+3")
    case 4: .string(String(repeating: "\"é\n", count: Int.random(in: 0...4, using: &random)))
    case 5:
      .array(
        (0..<Int.random(in: 0...4, using: &random)).map { _ in
          Self.random(&random, depth: depth + 1)
        }
      )
    default:
      .object(
        (0..<Int.random(in: 0...4, using: &random)).map { index in
          JSONValue.Member(key: "k\(index)", value: Self.random(&random, depth: depth + 1))
        }
      )
    }
  }

  @Test(arguments: 0..<200)
  func whatIsWrittenIsReadBack(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let value = Self.random(&random)
    #expect(try JSONValue(parsing: value.encoded) == value)
  }

  @Test func neverShowsWhatItHolds() throws {
    let value = try Self.parse("{\"session\":\"SECRET\",\"SECRET\":[\"SECRET\",1]}")
    var dumped = ""
    dump(value, to: &dumped)
    dump(value.members, to: &dumped)
    for text in ["\(value)", String(reflecting: value), dumped, "\(value["session"] ?? nil)"] {
      #expect(!text.contains("SECRET"))
    }
  }
}
