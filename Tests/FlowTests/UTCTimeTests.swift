// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Flow

@Suite struct UTCTimeTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000000000Z"),
    (1_795_478_400_123_456_789, "2026-11-24T00:00:00.123456789Z"),
    (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999999999Z"),
    (-1, "1969-12-31T23:59:59.999999999Z"),
    (Int64.max, "2262-04-11T23:47:16.854775807Z"),
  ])
  func isWrittenAndRead(_ realtime: Int64, _ text: String) {
    #expect(UTCTime(realtime: realtime).description == text)
    #expect(Self.read(text) == realtime)
  }

  @Test(arguments: [
    "", "2026-11-24", "2026-11-24T00:00:00Z", "2026-02-29T00:00:00.000000000Z",
    "2026-11-24T24:00:00.000000000Z", "2026-11-24T00:60:00.000000000Z",
    "2026-11-24T00:00:60.000000000Z", "2026-11-24 00:00:00.000000000Z",
    "2026-11-24T00:00:00.00000000xZ", "2262-04-11T23:47:16.854775808Z",
    "9999-12-31T00:00:00.000000000Z", "2026-13-24T00:00:00.000000000Z",
  ])
  func isNotReadFromAnythingElse(_ text: String) {
    #expect(Self.read(text) == nil)
  }

  private static func read(_ text: String) -> Int64? {
    Array(text.utf8).withUnsafeBytes { UTCTime($0)?.realtime }
  }
}
