// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Testing

@testable import Recording

@Suite struct NamingTests {
  @Test(
    arguments: [
      (0, "1970-01-01"), (-1, "1969-12-31"), (1_795_478_399_999_999_999, "2026-11-23"),
      (1_795_478_400_000_000_000, "2026-11-24"), (951_782_400_000_000_000, "2000-02-29"),
      (951_868_800_000_000_000, "2000-03-01"), (4_107_542_400_000_000_000, "2100-03-01"),
      (-2_203_977_600_000_000_000, "1900-02-28"),
    ] as [(Int64, String)]
  )
  func days(_ realtime: Int64, _ expected: String) {
    let date = UTCDate(realtime: realtime)
    #expect(date.description == expected)
    #expect(date.contains(realtime))
    #expect(!date.contains(realtime + 86_400_000_000_000))
    #expect(!date.contains(realtime - 86_400_000_000_000))
  }

  @Test func runNamesAreULIDs() throws {
    // The example of the specification: this time is written 01ARYZ6S41.
    let run = RunID(milliseconds: 1_469_918_176_385, random: 0)
    #expect(run.description == "01ARYZ6S410000000000000000")
    let last = RunID(milliseconds: 1 << 48 - 1, random: .max)
    #expect(last.description == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
    let fresh = try (0..<100).map { try RunID(realtime: Int64($0) * 1_000_000) }
    #expect(Set(fresh).count == 100)
    #expect(fresh.map(\.description) == fresh.map(\.description).sorted())
  }

  @Test(arguments: [
    ("AAPL", "AAPL"), ("AAPL@ARCA", "AAPL@ARCA"), ("BRK B", "BRK%20B"), ("../x", "..%2Fx"),
    ("ES#1%", "ES%231%25"), ("EUR.USD", "EUR.USD"), ("é=", "%C3%A9%3D"), ("a\u{0}b", "a%00b"),
  ])
  func symbolsInPaths(_ symbol: String, _ expected: String) {
    let place = PartPath(channel: .quote, date: UTCDate(realtime: 0), symbol: symbol)
    let run = RunID(milliseconds: 0, random: 0)
    #expect(
      place.file(run: run, number: 12)
        == "ch=quote/date=1970-01-01/symbol=\(expected)/part-\(run)-000012.ndjson"
    )
  }

  @Test func twoInstrumentsNeverShareAName() {
    var names = SymbolNames()
    names.learn(Instrument(conid: 1, symbol: "AAPL"))
    names.learn(Instrument(conid: 2, symbol: "AAPL"))
    names.learn(Instrument(conid: 4, symbol: String(repeating: "é", count: 100)))
    names.learn(SubscriptionKey(topic: .marketData, target: "1@ARCA", conid: 1, number: 7))
    #expect(names.name(conid: 1, subscription: 0) == "AAPL")
    #expect(names.name(conid: 2, subscription: 0) == "AAPL#2")
    #expect(names.name(conid: 1, subscription: 7) == "AAPL@ARCA")
    #expect(names.name(conid: 3, subscription: 0) == "3")
    #expect(names.name(conid: 4, subscription: 0) == "4")
    #expect(names.name(conid: 1, subscription: 0) == "AAPL")
  }

  @Test func combinationsOfManyLegsHaveNamesThatFitAndDiffer() {
    var names = SymbolNames()
    func key(_ legs: Int, _ ratio: Int, number: UInt32) -> SubscriptionKey {
      let target = (1...legs).map { "\(265_000_000 + $0)/\(ratio)" }.joined(separator: ",")
      return SubscriptionKey(
        topic: .marketData,
        target: "0;;;\(target)",
        conid: nil,
        number: number
      )
    }
    var seen: Set<String> = []
    for number in UInt32(1)...40 {
      let key = key(Int(number % 20) + 2, number > 20 ? -1 : 1, number: number)
      names.learn(key)
      let name = names.name(of: key)
      #expect(name == names.name(conid: 0, subscription: number))
      #expect(PartPath.encoded(name ?? "").utf8.count <= 200)
      #expect(seen.insert(name ?? "").inserted, "\(name ?? "")")
    }
    // Another run gives them the same names.
    var others = SymbolNames()
    #expect(others.name(of: key(21, -1, number: 1)) == names.name(of: key(21, -1, number: 39)))
  }
}
