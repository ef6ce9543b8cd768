// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import JSON
import Testing

@testable import GatewaySimulator

/// `iserver/marketdata/history` as the protocol reference has it, section 6.5.
@Suite struct HistoryTests {
  private func parse(_ response: GatewayResponse?) throws -> JSONValue {
    try JSONValue(parsing: Array(try #require(response).body.utf8))
  }

  private func times(_ answer: JSONValue) -> [Int] {
    answer["data"]?.elements?.compactMap { $0["t"]?.int } ?? []
  }

  private static let path = "/iserver/marketdata/history?conid=265598"

  @Test func startTimeIsTheEndOfTheBars() throws {
    var desk = Desk()
    let answer = try parse(
      desk.get(Self.path + "&period=5min&bar=1min&startTime=20260430-12:00:00&outsideRth=true")
    )
    let end = 1_777_550_400_000
    #expect(times(answer) == (1...5).map { end - (6 - $0) * 60_000 })
    #expect(answer["points"]?.int == 4 && answer["barLength"]?.int == 60)
    #expect(answer["startTime"]?.string == "20260430-11:55:00")
    #expect(answer["timePeriod"]?.string == "5min" && answer["outsideRth"]?.bool == true)
    #expect(answer["volumeFactor"]?.int == 100 && answer["mktDataDelay"]?.int == 0)
    for name in ["serverId", "symbol", "text", "high", "low", "travelTime"] {
      #expect(answer[name] != nil, "\(name)")
    }
  }

  @Test func thereAreAThousandAtMost() throws {
    var desk = Desk()
    let answer = try parse(desk.get(Self.path + "&period=1d&bar=1min"))
    #expect(times(answer).count == 1_000)
    // The newest are kept.
    #expect(times(answer).last == Int(desk.now.milliseconds / 60_000 * 60_000))
  }

  @Test func barsAreWhatWasStreamed() throws {
    var desk = Desk()
    _ = desk.open()
    desk.pass(milliseconds: 200)
    desk.say(#"smd+265598+{"fields":["31","7762"]}"#)
    desk.pass(milliseconds: 400_000)
    // The last price of each minute, as it was streamed.
    var prices: [Int: [Double]] = [:]
    for text in desk.take() where text.contains("smd+") {
      let message = try JSONValue(parsing: Array(text.utf8))
      guard let price = message["31"]?.string.flatMap(Double.init),
        let updated = message["_updated"]?.int
      else { continue }
      prices[updated / 60_000, default: []].append(price)
    }
    let answer = try parse(desk.get(Self.path + "&period=5min&bar=1min"))
    var compared = 0
    for bar in answer["data"]?.elements ?? [] {
      guard let minute = bar["t"]?.int.map({ $0 / 60_000 }), let seen = prices[minute],
        let high = bar["h"]?.string.flatMap(Double.init),
        let low = bar["l"]?.string.flatMap(Double.init),
        let close = bar["c"]?.string.flatMap(Double.init)
      else { continue }
      #expect(seen.allSatisfy { low - 1e-9 <= $0 && $0 <= high + 1e-9 })
      #expect(abs((seen.last ?? 0) - close) < 1e-9)
      compared += 1
    }
    #expect(compared >= 4)
  }

  @Test func whatIsWrongIsSaid() throws {
    var desk = Desk()
    for (query, status, words) in [
      ("", 400, "conid"), ("conid=1", 500, "No data"), ("conid=265598&period=31min", 400, "period"),
      ("conid=265598&bar=7min", 400, "bar"), ("conid=265598&startTime=now", 400, "startTime"),
      ("conid=8595", 500, "No data"), ("conid=12087792", 500, "No data"),
    ] {
      let response = desk.get("/iserver/marketdata/history?" + query)
      #expect(response?.status == status && response?.body.contains(words) == true, "\(query)")
    }
    let pair = try parse(desk.get("/iserver/marketdata/history?conid=12087792&source=Midpoint"))
    #expect(!times(pair).isEmpty)
  }

  @Test func delayedDataEndsEarlier() throws {
    var desk = Desk()
    let answer = try parse(
      desk.get("/iserver/marketdata/history?conid=10098&period=30min&bar=1min")
    )
    #expect(answer["mktDataDelay"]?.int == 900)
    let last = try #require(times(answer).last)
    #expect(Int(desk.now.milliseconds) - last >= 900_000)
  }

  @Test func troublesLastForAWhile() throws {
    for trouble in HistoryTrouble.allCases {
      var desk = Desk(
        scenario: Scenario(
          name: "test",
          events: [.init(.history(trouble, for: .seconds(10)), after: .zero)]
        )
      )
      desk.pass(milliseconds: 1)
      let first = desk.get(Self.path + "&period=5min&bar=1min")
      let isWhole = first.map { $0.status == 200 && (try? times(parse($0)).count) == 5 } ?? false
      #expect(!isWhole, "\(trouble)")
      desk.pass(milliseconds: 10_000)
      #expect(times(try parse(desk.get(Self.path + "&period=5min&bar=1min"))).count == 5)
    }
  }
}
