// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import IBKR

/// The one look at a message, beside the strict reader of RFC 8259 and its tree.
@Suite struct ParsingTests {
  /// Values in the manner of the JSON parsing test suite (seriot.ch), all of them JSON.
  static let values = [
    "0", "-0", "1E22", "1e-2", "123.456e78", "-0.000000000000000000000000001", "\"\"", "\" \"",
    "[]", "{}", "[[]   ]", "[null, 1, \"1\", {}]", "true", "false", "null", "{\"\":0}",
    "{\"a\":{\"b\":{\"c\":[{}]}}}", "\"\\u0060\\u012a\\u12AB\"", "\"\\uD801\\udc37\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\\u0000\"", "\"\\\"\"", "\"a/*b*/c/*d//e\"", "\"\\\\\"",
    "\"\\u0022}\"", "\"}\"", "\"{\"", "\"]\"", "[\"}\",\"{\"]", "\"\u{7F}\"", "\"\u{2028}\"",
    "\"\u{10FFFF}\"", "\"€𝄞\"", "\"\\uDBFF\\uDFFF\"", "\"\\uD800\"", "{\"topic\":\"sor\"}",
    "[{\"topic\":\"sor\",\"conid\":9}]", "100000000000000000000", "1.0", "17.0e0", "\"17\"",
    "\"1.7e1\"", "\"007\"", "9223372036854775807", "9223372036854775808", "-5", "0.5",
    "[1,{\"error\":1}]", "{\"a\":1,\"a\":2}", "\"Unsubscribed 5\"", "\"\\u0055nsubscribed 5\"",
    "\"waiting for session\"", "\"unsubscribed from ledger\"", "\"smd+1\"", "\"smd\\u002b17\"",
    "\"\\u0073md+1\"", "\"sbd+U1+5+X\"", "\"sor\"", "\"smd+1@ARCA\"", "\"265598@NYSE\"",
  ]

  /// Keys of the head, written in several ways, and others like them.
  static let keys = [
    "topic", "conid", "conidEx", "_updated", "server_id", "error", "message", "result", "31",
    "6509", "87_raw", "t\\u006fpic", "c\\u006fnid", "\\u0033\\u0031", "server_i\\u0064", "",
    "topics", "Topic", "serverId", "server_ie", "31 ", "123456789", "_updatee", "\\u005fupdated",
    "é", "conid\\u0000",
  ]

  private static let space = ["", "", "", " ", "\n", "\t\r\n  "]

  private static func object(_ random: inout SplitMix) -> String {
    func gap() -> String { space.randomElement(using: &random) ?? "" }
    let members = (0..<Int.random(in: 0...7, using: &random)).map { _ in
      let key = keys.randomElement(using: &random) ?? ""
      let value = values.randomElement(using: &random) ?? ""
      return gap() + "\"\(key)\"" + gap() + ":" + gap() + value + gap()
    }
    return gap() + "{" + (members.isEmpty ? gap() : members.joined(separator: ",")) + "}" + gap()
  }

  @Test func agreesWithTheStrictReaderOnEveryObject() throws {
    var random = SplitMix(state: 9)
    // Guesses that nearly all are wrong.
    var keys = MessageHead.Name.trail()
    for _ in 0..<10_000 {
      let text = Self.object(&random)
      let bytes = Array(text.utf8)
      let reference = try #require(ReferenceHead(bytes), "\(text)")
      if let difference = reference.difference(from: bytes, after: &keys) {
        Issue.record("\(difference): \(text)")
      }
    }
  }

  /// Every value under every key of the head.
  @Test func agreesWithTheStrictReaderOnEveryValue() throws {
    for key in Self.keys {
      for value in Self.values {
        let bytes = Array("{\"\(key)\":\(value),\"84\":\"1\"}".utf8)
        let difference = try #require(ReferenceHead(bytes)).difference(from: bytes)
        #expect(difference == nil, "\(key): \(value)")
      }
    }
  }

  /// Whatever a byte is changed to: an event, and what is left of JSON is understood.
  @Test func whatIsNotJSONIsAnEvent() throws {
    var random = SplitMix(state: 10)
    for _ in 0..<3_000 {
      var bytes = Array(Self.object(&random).utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let index = bytes.indices.randomElement(using: &random) ?? 0
        bytes[index] = UInt8.random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) {
        bytes.removeLast(Int.random(in: 0...3, using: &random) % bytes.count)
      }
      let message = try #require(Message(received: bytes))
      #expect(message.bytes == bytes)
      #expect(message.content != nil)
      if let reference = ReferenceHead(bytes) { #expect(reference.difference(from: bytes) == nil) }
    }
  }
}

/// A small random generator with a seed, so that a failing case can be run again.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
