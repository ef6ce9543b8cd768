// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import GatewaySimulator

@Suite struct MarketTests {
  @Test func theSeedDecidesTheWholeWalk() throws {
    let instrument = try #require(InstrumentCatalogue.standard[265598])
    func walk(_ seed: UInt64) -> [FieldValue?] {
      var feed = InstrumentFeed(instrument, seed: seed)
      return (0..<500).flatMap { _ -> [FieldValue?] in
        feed.step()
        return [31, 84, 85, 86, 88, 7762].map { feed.value(of: Field(number: $0)) }
      }
    }
    #expect(walk(1) == walk(1))
    #expect(walk(1) != walk(2))
  }

  @Test(arguments: [265598, 80_268_543, 900_000_001])
  func theBidStaysBelowTheAskForALongTime(conid: Int) throws {
    let instrument = try #require(InstrumentCatalogue.standard[conid])
    var feed = InstrumentFeed(instrument, seed: 7)
    var last: [FieldValue?] = []
    for _ in 0..<50_000 {
      feed.step()
      let bid = try #require(units(feed, 84))
      let ask = try #require(units(feed, 86))
      #expect(bid < ask)
      #expect(bid >= instrument.tick)
      #expect(bid > instrument.price * 8 / 10 && ask < instrument.price * 12 / 10)
      #expect(bid.isMultiple(of: instrument.tick))
      let quote = [84, 86].map { feed.value(of: Field(number: $0)) }
      #expect(quote != last)
      last = quote
    }
    let low = try #require(units(feed, 71))
    let high = try #require(units(feed, 70))
    #expect(low <= high)
  }

  private func units(_ feed: InstrumentFeed, _ field: Int) -> Int64? {
    guard case .price(let units, _, _) = feed.value(of: Field(number: field)) else { return nil }
    return units
  }

  @Test func anInstrumentWalksOnlyWhileItIsWatched() throws {
    var market = Market(seed: 1, pace: .every(10))
    let instrument = try #require(InstrumentCatalogue.standard[265598])
    #expect(market.nextTime == nil)
    market.watch(instrument, from: 100)
    market.watch(instrument, from: 105)
    #expect(market.nextTime == 110)
    #expect(market.step(until: 109) == nil)
    let steps = [market.step(until: 200), market.step(until: 200)]
    #expect(steps.map { $0?.time } == [110, 120])
    market.unwatch(instrument.conid)
    #expect(market.nextTime == 130)
    market.unwatch(instrument.conid)
    #expect(market.nextTime == nil)
    market.unwatch(instrument.conid)
    market.watch(instrument, from: 500)
    #expect(market.nextTime == 510)
  }

  @Test func theNaturalPaceIsNeverFasterThanTwoASecond() throws {
    var market = Market(seed: 3, pace: .natural)
    market.watch(try #require(InstrumentCatalogue.standard[265598]), from: 0)
    var before: Int64 = 0
    for _ in 0..<1_000 {
      let next = market.step(until: .max)
      let step = try #require(next)
      #expect((500_000_000...2_000_000_000).contains(step.time - before))
      before = step.time
    }
  }

  @Test func theAgendaKeepsTheOrderOfEntry() {
    var agenda = Agenda<Int>()
    for (entry, time) in [(1, 5), (2, 3), (3, 5), (4, 1), (5, 3)] as [(Int, Int64)] {
      agenda.insert(entry, at: time)
    }
    var order: [Int] = []
    while let next = agenda.next(until: 5) { order.append(next.entry) }
    #expect(order == [4, 2, 5, 1, 3])
  }
}

@Suite struct FieldValueTests {
  static let table: [(FieldValue, String)] = [
    (.price(27_155, digits: 2), "\"271.55\""), (.price(64_780, digits: 3), "\"64.780\""),
    (.price(5, digits: 2), "\"0.05\""), (.price(-120, digits: 2), "\"-1.20\""),
    (.price(473_510, digits: 2, mark: "C"), "\"C4735.10\""), (.price(7, digits: 0), "\"7\""),
    (.size(0), "\"0\""), (.size(600), "\"600\""), (.size(1_300), "\"1,300\""),
    (.size(12_345_678), "\"12,345,678\""), (.abbreviated(999), "\"999\""),
    (.abbreviated(1_250), "\"1.2K\""), (.abbreviated(12_200_000), "\"12.2M\""),
    (.abbreviated(3_400_000_000), "\"3.4B\""), (.digits(1_234_567), "\"1234567\""),
    (.percent(56), "0.56"), (.percent(-163), "-1.63"), (.percent(50), "0.5"),
    (.percent(0), "0.0"), (.percent(200), "2.0"), (.double(12_200_000), "1.22E7"),
    (.double(10_000_000), "1.0E7"), (.double(12_345_678), "1.2345678E7"),
    (.double(999_999), "999999.0"), (.text("DPB"), "\"DPB\""),
  ]

  @Test(arguments: table)
  func printsAsTheGatewayDoes(value: FieldValue, token: String) {
    var json = ""
    value.append(to: &json)
    #expect(json == token)
  }

  // Recorded on a live gateway, 2026-04-30.
  @Test(arguments: [
    [
      "6509", "conidEx", "topic", "conid", "_updated", "6119", "83", "server_id", "84", "31", "86",
    ],
    ["6509", "conidEx", "topic", "conid", "_updated", "6119", "83", "server_id", "31"],
    ["6509", "conidEx", "topic", "conid", "_updated", "6119", "server_id"],
    ["55", "conidEx", "topic", "conid", "_updated", "6119", "server_id", "31"],
  ])
  func ordersKeysAsJavasMapDoes(keys: [String]) {
    let entered = [
      "server_id", "conidEx", "conid", "_updated", "6119", "topic", "84", "6509", "55", "31", "86",
      "83",
    ]
    #expect(JavaKeyOrder.sorted(entered.filter(keys.contains)) == keys)
  }
}
