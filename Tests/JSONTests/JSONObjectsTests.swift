// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@Suite struct JSONObjectsTests {
  private func objects(_ text: String) -> [String] {
    Array(text.utf8).withUnsafeBytes { bytes in
      var objects = JSONObjects(bytes)
      var found: [String] = []
      while let object = objects.next() { found.append(String(decoding: object, as: UTF8.self)) }
      return found
    }
  }

  @Test(arguments: [
    ("", []),
    ("[]", []),
    (" [ ] ", []),
    ("null", []),
    (#"[{"a":1}]"#, [#"{"a":1}"#]),
    (#" [ {"a":1} , {"b":[{"c":2}]},{}]"#, [#"{"a":1}"#, #"{"b":[{"c":2}]}"#, "{}"]),
    (#"{"a":{"b":{}}}"#, [#"{"a":{"b":{}}}"#]),
    (#"[{"a":"}]\"{"},{"b":"\\"}]"#, [#"{"a":"}]\"{"}"#, #"{"b":"\\"}"#]),
    (#"[1,"{}",true,{"a":1},null]"#, [#"{"a":1}"#]),
    // Broken off.
    (#"[{"a":1},{"b":"#, [#"{"a":1}"#]),
    (#"[{"a":"\"#, []),
    ("}{}", ["{}"]),
  ])
  func findsEveryObject(_ text: String, _ expected: [String]) {
    #expect(objects(text) == expected)
  }

  @Test func findsWhatTheTreeHolds() throws {
    var random = SplitMix(state: 7)
    for _ in 0..<500 {
      let parts = (0..<Int.random(in: 0..<6, using: &random)).map { _ in
        ["{}", #"{"x":[{}]}"#, #"{"y":"]}{["}"#, "12", #""{""#].randomElement(using: &random) ?? ""
      }
      let text = "[\(parts.joined(separator: ","))]"
      let tree = try JSONValue(parsing: Array(text.utf8))
      let expected = tree.elements?.filter { $0.members != nil }.map(\.text)
      #expect(objects(text) == expected)
    }
  }
}
