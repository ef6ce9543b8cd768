// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Flow

@Suite struct SpellingTests {
  @Test(arguments: [
    ("", "", 0), ("abc", "abc", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "acb", 1),
    ("kitten", "sitting", 3), ("raw", "row", 1), ("flaw", "lawn", 2),
  ])
  func distances(_ first: String, _ second: String, _ expected: Int) {
    #expect(Spelling.distance(first, second) == expected)
    #expect(Spelling.distance(second, first) == expected)
  }

  @Test func theNearestWordIsFoundAndNoneThatIsFar() {
    let words = ["record", "replay", "stream", "stats"]
    #expect(Spelling.nearest(to: "recrod", in: words) == "record")
    #expect(Spelling.nearest(to: "stast", in: words) == "stats")
    #expect(Spelling.nearest(to: "fly", in: words) == nil)
    #expect(Spelling.nearest(to: "x", in: ["b", "a"]) == "a")
  }
}
