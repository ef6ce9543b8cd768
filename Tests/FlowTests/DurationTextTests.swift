// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Testing

@Suite struct DurationTextTests {
  @Test(arguments: [
    ("0", Duration.zero), ("0s", .zero), ("60s", .seconds(60)), ("500ms", .milliseconds(500)),
    ("1.5m", .seconds(90)), ("15min", .seconds(900)), ("8h", .seconds(28_800)),
    ("36525d", .seconds(3_155_760_000)),
  ])
  func reads(_ text: String, _ expected: Duration) {
    #expect(Duration(text: text) == expected)
  }

  @Test(arguments: [
    "", "s", ".", "1..2s", "-1s", "1e9s", "1x", "nan", "inf", "36526d", "1 s", "١s",
  ])
  func refuses(_ text: String) {
    #expect(Duration(text: text) == nil)
  }
}
