// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR
@testable import ibkr

@Suite struct TradingPlanTests {
  private static func hours(_ sessions: [(Int64, Int64)]) -> TradingHours {
    TradingHours(sessions.map { TradingHours.Session(opening: $0, closing: $1) })
  }

  private static let twoDays = hours([(1_000, 2_000), (11_000, 12_000)])

  @Test(
    arguments: [
      (0, false, 970), (969, false, 970), (970, true, 2_060), (1_500, true, 2_060),
      (2_059, true, 2_060), (2_060, false, 10_970), (10_969, false, 10_970),
      (11_000, true, 12_060), (12_059, true, 12_060),
    ] as [(Int64, Bool, Int64)]
  )
  func itIsOpenALittleLongerThanTheExchange(_ now: Int64, _ isOpen: Bool, _ until: Int64) {
    let plan = TradingPlan(Self.twoDays, at: now)
    #expect(plan.isOpen == isOpen && plan.until == until)
  }

  @Test func whatIsNotKnownIsNotMissed() {
    for plan in [
      TradingPlan(nil, at: 5), TradingPlan(Self.twoDays, at: 12_060),
      TradingPlan(Self.hours([]), at: 5),
    ] {
      #expect(plan.isOpen && plan.until == nil)
    }
  }

  @Test func aBreakThatIsTooShortIsNone() {
    let plan = TradingPlan(Self.hours([(1_000, 2_000), (2_080, 3_000), (9_000, 9_100)]), at: 1_500)
    #expect(plan.isOpen && plan.until == 3_060)
  }
}
