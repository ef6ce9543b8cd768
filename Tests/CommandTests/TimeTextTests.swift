// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import ibkr

@Suite struct TimeTextTests {
  @Test(
    arguments: [
      ("1970-01-01", 0), ("2026-11-23", 1_795_392_000_000_000_000),
      ("2026-11-23T14:30", 1_795_444_200_000_000_000),
      ("2026-11-23T14:30:05Z", 1_795_444_205_000_000_000),
      ("2026-11-23T14:30:05.25Z", 1_795_444_205_250_000_000),
      ("2024-02-29", 1_709_164_800_000_000_000), ("1795444205250000001", 1_795_444_205_250_000_001),
    ] as [(String, Int64)]
  )
  func momentsAreRead(_ text: String, _ realtime: Int64) {
    #expect(TimeText.moment(text) == realtime)
  }

  @Test(
    arguments: [
      "", "soon", "2026-13-01", "2026-02-29", "2026-11-23T", "2026-11-23T25:00", "14:30",
      "2026-11-23T14:30:60", "2026-11-23T14:30:00.", "2026-11-23T14", "17",
    ]
  )
  func everythingElseIsRefused(_ text: String) {
    #expect(TimeText.moment(text) == nil)
  }

  @Test func momentsAreWrittenAsTheyAreRead() {
    #expect(TimeText.text(1_795_444_205_250_000_000) == "2026-11-23T14:30:05.250Z")
    #expect(TimeText.moment(TimeText.text(-1_000_000)) == -1_000_000)
    #expect(TimeText.span(4_250_000_000) == "4.250 s")
    #expect(TimeText.span(93_784_000_000_000) == "1d 02:03:04")
  }
}
