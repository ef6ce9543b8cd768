// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

/// Cases in the manner of the JSON parsing test suite (seriot.ch): `y_` must be accepted, `n_` must
/// be refused; for those that RFC 8259 leaves open (`i_`) our answer is written down.
@Suite struct JSONValidatorTests {
  static func refusal(_ bytes: [UInt8], depthLimit: Int = 512) -> JSONError.Code? {
    do {
      try bytes.span.withUnsafeBytes { bytes throws(JSONError) in
        try JSONValidator.validate(bytes, depthLimit: depthLimit)
      }
      return nil
    } catch {
      return error.code
    }
  }

  @Test(arguments: [
    "[]", "{}", "[ ]", " [] ", "\t[\r\n]\n", "[[]   ]", "[\"\"]", "[1]", "0", "-0", "-1", "1", "42",
    "[0e+1]", "[0e1]", "[1E22]", "[1E-2]", "[1E+2]", "[1e-2]", "[1e+2]", "[123e45]",
    "[123.456e78]", "[123.456789]", "[-0.000000000000000000000000000000000000000000000001]",
    "[1.22E7]", "[2.0201311791131118E8]", "\"text\"", "null", "true", "false", "[null]",
    "[true,false]",
    "[null, 1, \"1\", {}]", "[1,null,null,null,2]", "[2] ", "\" \"", "[\"asd\"]",
    "{\"a\":\"b\"}", "{\"a\":[]}", "{\"\":0}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":1}",
    "{\"a\":{\"b\":{\"c\":[{}]}}}", "{\n\"a\": \"b\"\n}", "{\"title\":\"\\u041f\\u043e\"}",
    "[\"\\u0060\\u012a\\u12AB\"]", "[\"\\uD801\\udc37\"]", "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]",
    "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\\u0000\"]", "[\"\\\"\"]", "[\"a/*b*/c/*d//e\"]",
    "[\"\\\\a\"]", "[\"\\\\n\"]", "[\"\\u0012\"]", "[\"\\uFFFF\"]", "[\"\\u0000\"]",
    "[\"\\u0022\"]",
    "[\"\\u005C\"]", "[\"\\uA66D\"]", "[\"\\u2064\"]", "[\"new\\u00A0line\"]",
    "[\"\u{7F}\"]", "[\"\u{2028}\u{2029}\"]", "[\"\u{10FFFF}\"]", "[\"\u{FFFF}\"]", "[\"€𝄞\"]",
    "[\"π\"]", "[\"asd \"]", "[\"\u{2342}\u{3248}\u{0C20}\"]", "[\"\\uDBFF\\uDFFF\"]",
    "{\"asd\":\"sdf\", \"dfg\":\"fgh\"}", "{\"min\": -1.0e+28, \"max\": 1.0e+28}",
    "{\"x\":[{\"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}]}",
  ])
  func accepts(text: String) {
    #expect(Self.refusal(Array(text.utf8)) == nil)
    #expect(throws: Never.self) { try JSONValue(parsing: Array(text.utf8)) }
  }

  @Test(arguments: [
    ("", JSONError.Code.unexpectedEnd), (" ", .unexpectedEnd), ("[", .unexpectedEnd),
    ("{", .unexpectedEnd), ("[1", .unexpectedEnd), ("[1,", .unexpectedEnd),
    ("[\"", .unexpectedEnd), ("[\"a", .unexpectedEnd), ("{\"a\"", .unexpectedEnd),
    ("{\"a\":", .unexpectedEnd), ("{\"a\":1", .unexpectedEnd), ("{\"a\":1,", .unexpectedEnd),
    ("nul", .unexpectedEnd), ("tru", .unexpectedEnd), ("[\"\\", .unexpectedEnd),
    ("[\"\\u12", .unexpectedEnd), ("[\"\\uD800\\", .unexpectedEnd), ("\"\\\"", .unexpectedEnd),
    ("[1 true]", .unexpectedByte), ("[\"\": 1]", .unexpectedByte), ("[,1]", .unexpectedByte),
    ("[1,,2]", .unexpectedByte), ("[1,]", .unexpectedByte), ("[,]", .unexpectedByte),
    ("[\"x\", truth]", .unexpectedByte), ("[nul]", .unexpectedByte), ("[TRUE]", .unexpectedByte),
    ("[3[4]]", .unexpectedByte), ("[1}", .unexpectedByte), ("{1:1}", .unexpectedByte),
    ("{\"a\":1]", .unexpectedByte), ("{\"a\",\"b\"}", .unexpectedByte),
    ("{:\"b\"}", .unexpectedByte),
    ("{\"a\" b}", .unexpectedByte), ("{\"a\":1,}", .unexpectedByte), ("{,}", .unexpectedByte),
    ("{\"a\":1,,\"b\":2}", .unexpectedByte), ("{'a':0}", .unexpectedByte),
    ("{a:0}", .unexpectedByte),
    ("{\"a\":\"b\",null,}", .unexpectedByte), ("{\"a\"::\"b\"}", .unexpectedByte),
    ("{\"a\" /*c*/ :\"b\"}", .unexpectedByte), ("['x']", .unexpectedByte),
    ("[.5]", .unexpectedByte),
    ("[+1]", .unexpectedByte), ("[NaN]", .unexpectedByte), ("[Infinity]", .unexpectedByte),
    ("[\u{FF11}]", .unexpectedByte), ("]", .unexpectedByte), ("<.>", .unexpectedByte),
    ("\u{FEFF}[]", .unexpectedByte), ("*", .unexpectedByte), ("[a]", .unexpectedByte),
    ("[\u{B}1]", .unexpectedByte), ("[\u{C}]", .unexpectedByte), ("[\u{A0}1]", .unexpectedByte),
    ("[1\u{0}]", .unexpectedByte), ("{\"a\":1e1.5}", .unexpectedByte), ("[1eE2]", .invalidNumber),
    ("[-]", .invalidNumber), ("[-Infinity]", .invalidNumber), ("[-a]", .invalidNumber),
    ("[01]", .invalidNumber), ("[-01]", .invalidNumber), ("[00]", .invalidNumber),
    ("[-.123]", .invalidNumber), ("[1.]", .invalidNumber), ("[-2.]", .invalidNumber),
    ("[2.e3]", .invalidNumber), ("[2.e+3]", .invalidNumber), ("[1e]", .invalidNumber),
    ("[1e+]", .invalidNumber), ("[0E+]", .invalidNumber), ("[1.0e-]", .invalidNumber),
    ("[9.3e+1.2]", .unexpectedByte), ("[0x42]", .unexpectedByte), ("[1 000.0]", .unexpectedByte),
    ("[1.2a-3]", .unexpectedByte), ("[1,000]", .invalidNumber), ("[-1x]", .unexpectedByte),
    ("[\"\\x00\"]", .invalidEscape), ("[\"\\a\"]", .invalidEscape), ("[\"\\'\"]", .invalidEscape),
    ("[\"\\U0041\"]", .invalidEscape), ("[\"\\u00A\"]", .invalidEscape),
    ("[\"\\uqqqq\"]", .invalidEscape), ("[\"\\u+123\"]", .invalidEscape),
    ("[\"\\uD800\\uD  \"]", .invalidEscape), ("[\"\\🌀\"]", .invalidEscape),
    ("[\"a\u{0}a\"]", .controlCharacter), ("[\"new\nline\"]", .controlCharacter),
    ("[\"\t\"]", .controlCharacter), ("[\"\u{1F}\"]", .controlCharacter),
    ("[]]", .bytesAfterEnd), ("[]x", .bytesAfterEnd), ("1 2", .bytesAfterEnd),
    ("{}{}", .bytesAfterEnd), ("[1]]", .bytesAfterEnd), ("{\"a\":true} \"x\"", .bytesAfterEnd),
    ("{\"a\":\"b\"}/**/", .bytesAfterEnd), ("{\"a\":\"b\"}#", .bytesAfterEnd),
    ("\"\"x", .bytesAfterEnd), ("nullnull", .bytesAfterEnd), ("1a", .bytesAfterEnd),
  ])
  func refuses(text: String, code: JSONError.Code) {
    #expect(Self.refusal(Array(text.utf8)) == code)
  }

  @Test(
    arguments: [
      [0xFF], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0xBF, 0xBF, 0xBF],
      [0x81], [0xE9], [0xF0, 0x9F, 0x92], [0xFC, 0x80, 0x80, 0x80, 0x80, 0x80], [0x99],
    ] as [[UInt8]]
  )
  func refusesBytesThatAreNotUTF8(bytes: [UInt8]) {
    let text = Array("[\"".utf8) + bytes + Array("\"]".utf8)
    #expect(Self.refusal(text) == .invalidUTF8)
  }

  @Test(arguments: [
    "[\"\\uD800\"]", "[\"\\uDADA\\n\"]", "[\"\\uDd1e\\uD834\"]", "[\"\\uDFAA\"]",
    "[123123e100000]", "[-1e+9999]", "[0.4e00669999999999999999999999999999]", "[1e-10000000]",
    "[100000000000000000000]",
  ])
  func whatIsLeftOpenIsAccepted(text: String) {
    #expect(Self.refusal(Array(text.utf8)) == nil)
  }

  @Test func depthIsLimitedAndCostsNoStack() {
    let deep =
      [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
      + [UInt8](repeating: UInt8(ascii: "]"), count: 100_000)
    #expect(Self.refusal(deep) == .tooDeep)
    #expect(Self.refusal(deep, depthLimit: 100_000) == nil)
    #expect(Self.refusal(Array("[[]]".utf8), depthLimit: 2) == nil)
    #expect(Self.refusal(Array("[{\"a\":[]}]".utf8), depthLimit: 2) == .tooDeep)
  }

  @Test func everyCutOfAnObjectIsRefused() {
    let text = Array("{\"a\":[1.5e3,\"\\u00e9\",{\"b\":null}],\"c\":true}".utf8)
    #expect(Self.refusal(text) == nil)
    for count in 0..<text.count {
      #expect(Self.refusal(Array(text[..<count])) != nil, "cut at \(count)")
    }
  }

  @Test func theErrorTellsWhereButNotWhat() throws {
    let error = #expect(throws: JSONError.self) {
      try JSONValue(parsing: Array("{\"SECRET\":SECRET}".utf8))
    }
    #expect(error?.offset == 10)
    #expect(error?.description.contains("SECRET") == false)
  }
}
