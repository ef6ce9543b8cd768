// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON
import Testing

@testable import ibkr

@Suite struct RecordBudgetTests {
  private static func budget(_ names: [(String, String?, Int)]) -> Budget {
    Budget(
      directory: "data",
      instruments: names.map { ($0.0, $0.1, Instrument(conid: $0.2, symbol: $0.0)) },
      hours: [],
      channels: ["quote", "raw"],
      lines: 100,
      estimate: DiskEstimate("/no-such-directory", compresses: true),
      end: nil,
      now: 0
    )
  }

  @Test func twoNamesOfOneInstrumentShareALine() {
    let budget = Self.budget([("AAPL", nil, 1), ("1", nil, 1), ("AAPL@ARCA", "ARCA", 1)])
    #expect(budget.text.contains("lines      2 of 100 that"))
    #expect(budget.json["lines_used"]?.int == 2 && budget.json["waiting"]?.int == 0)
  }

  @Test func whatHasNoLineWaits() {
    let budget = Self.budget((1...103).map { ("S\($0)", nil, $0) })
    #expect(budget.text.contains("103 of 100 that an account streams at a time: 3 would wait"))
    #expect(budget.json["lines_used"]?.int == 100 && budget.json["waiting"]?.int == 3)
    // 2 quotes a second of 900 bytes, 6.5 hours, 15 % of it, for those that stream.
    #expect(budget.json["bytes_per_day"]?.int == 631_800_000)
    #expect(budget.text.contains("data, which would be created") == !budget.estimate.exists)
  }
}
