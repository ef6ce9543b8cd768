// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@Suite struct JSONKeyPlacesTests {
  @Test func everyKeyHasItsLine() throws {
    let text = "{\"a\":1,\n \"b\":{\n\"c\": [1,\n {\"d\":\n2}], \"e\":{}\n},\n\"\\u0066\":null}"
    let found = try JSONKeyPlaces.lines(in: Array(text.utf8))
    #expect(found.map { $0.path.joined(separator: ".") } == ["a", "b", "b.c", "b.c.d", "b.e", "f"])
    #expect(found.map(\.line) == [1, 2, 3, 4, 5, 7])
  }

  @Test(arguments: [("", 1), ("{\n\"a\": 1,\n}", 3), ("{\n\n\"a\" 1}", 3)])
  func whatIsNoJSONHasTheLineOfTheFault(_ text: String, _ line: Int) {
    let bytes = Array(text.utf8)
    let error = #expect(throws: JSONError.self) { try JSONKeyPlaces.lines(in: bytes) }
    #expect(error.map { JSONKeyPlaces.line(of: $0.offset, in: bytes) } == line)
  }
}
