// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import IBKR

@Suite struct TradingHoursTests {
  /// Recorded: Thursday, then Monday after Good Friday.
  private static let recorded = """
    {"exchange_time_zone":"US/Eastern","schedules":{"20260402":{"liquid_hours":[{"opening":
    1775136600,"closing":1775160000}],"extended_hours":[{"cancel_daily_orders":true,"opening":
    1775116800,"closing":1775174400}]},"20260406":{"liquid_hours":[{"opening":1775482200,
    "closing":1775505600}],"extended_hours":[{"cancel_daily_orders":true,"opening":1775462400,
    "closing":1775520000}]}}}
    """

  @Test(
    arguments: [
      (1_775_116_799, nil), (1_775_116_800, true), (1_775_140_000, true), (1_775_174_399, true),
      (1_775_174_400, false), (1_775_300_000, false), (1_775_462_400, true), (1_775_519_999, true),
      (1_775_520_000, nil),
    ] as [(Int64, Bool?)]
  )
  func theRecordedScheduleIsRead(_ seconds: Int64, _ expected: Bool?) throws {
    let hours = try #require(TradingHours(answer: JSONValue(parsing: Array(Self.recorded.utf8))))
    #expect(hours.timeZone == "US/Eastern")
    #expect(hours.sessions.count == 2)
    #expect(hours.isOpen(at: seconds) == expected)
  }

  @Test(arguments: ["{}", "[]", "{\"schedules\":[]}", "{\"error\":\"no\"}", "null"])
  func whatIsNoScheduleIsNone(_ text: String) throws {
    #expect(TradingHours(answer: try JSONValue(parsing: Array(text.utf8))) == nil)
  }

  @Test func sessionsThatOverlapOrTouchAreOneAndThoseThatAreNoneAreLeftOut() {
    let hours = TradingHours(
      [(5, 9), (1, 3), (3, 4), (6, 7), (20, 10), (12, 12)].map {
        TradingHours.Session(opening: $0, closing: $1)
      }
    )
    #expect(hours.sessions.map(\.opening) == [1, 5])
    #expect(hours.sessions.map(\.closing) == [4, 9])
    #expect(TradingHours([]).isOpen(at: 0) == nil)
  }
}
