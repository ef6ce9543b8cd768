// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import OAuth1a
import Testing

@testable import IBKR

/// The commands of every feed, byte for byte as section 4 of the protocol reference has them.
@Suite struct FeedTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let request: FeedRequest
    let subscribe: String
    let unsubscribe: String?

    init(
      _ feed: some Feed,
      _ subscribe: String,
      _ unsubscribe: String?,
      serverID: String? = nil
    ) {
      var request = feed.request
      request.serverID = serverID
      self.request = request
      self.subscribe = subscribe
      self.unsubscribe = unsubscribe
    }

    var testDescription: String { subscribe }
  }

  private static func cases() throws(IbkrError) -> [Case] {
    let account = Secret("DU1")
    return [
      Case(
        try MarketDataFeed.marketData(
          conid: 265598,
          fields: ["31", "84", "86", "6509", "83"].compactMap { MarketDataField(named: $0) }
        ),
        #"smd+265598+{"fields":["31","84","86","6509","83"]}"#,
        "umd+265598+{}"
      ),
      Case(
        try MarketDataFeed.marketData(conid: 265598, exchange: "ARCA", fields: [.lastPrice]),
        #"smd+265598@ARCA+{"fields":["31"]}"#,
        "umd+265598@ARCA+{}"
      ),
      Case(
        try MarketDataFeed.marketData(
          combination: [.init(conid: 8314, ratio: 1), .init(conid: 265598, ratio: -2)],
          fields: [.lastPrice]
        ),
        #"smd+0;;;8314/1,265598/-2+{"fields":["31"]}"#,
        "umd+0;;;8314/1,265598/-2+{}"
      ),
      Case(
        try HistoryFeed.history(
          conid: 265598,
          exchange: "ISLAND",
          period: .hours(2),
          bar: .fiveMinutes,
          outsideRegularHours: false,
          source: .trades,
          values: [.high, .low]
        ),
        #"smh+265598+{"exchange":"ISLAND","period":"2h","bar":"5min","outsideRth":false,"#
          + #""source":"trades","format":"%h/%l"}"#,
        "umh+341115",
        serverID: "341115"
      ),
      Case(try HistoryFeed.history(conid: 265598), "smh+265598+{}", nil),
      Case(
        try HistoryFeed.history(conid: 1, period: .days(1000), source: .bidAsk),
        #"smh+1+{"period":"1000d","source":"bid_ask"}"#,
        nil
      ),
      Case(
        try PriceLadderFeed.priceLadder(account: account, conid: 265598),
        "sbd+DU1+265598",
        "ubd+DU1"
      ),
      Case(
        try PriceLadderFeed.priceLadder(account: account, conid: 265598, exchange: "ISLAND"),
        "sbd+DU1+265598+ISLAND",
        "ubd+DU1"
      ),
      Case(OrdersFeed.orders(), "sor+{}", "uor+{}"),
      Case(OrdersFeed.orders(status: .submitted), #"sor+{"filters":["Submitted"]}"#, "uor+{}"),
      Case(try OrdersFeed.orders(days: 7), #"sor+{"days":7}"#, "uor+{}"),
      Case(
        OrdersFeed.orders(status: OrderStatus("a\"]}+")),
        #"sor+{"filters":["a\"]}+"]}"#,
        "uor+{}"
      ),
      Case(TradesFeed.trades(), "str+{}", "utr"),
      Case(
        try TradesFeed.trades(realtimeOnly: true, days: 1),
        #"str+{"realtimeUpdatesOnly":true,"days":1}"#,
        "utr"
      ),
      Case(
        TradesFeed.trades(realtimeOnly: false),
        #"str+{"realtimeUpdatesOnly":false}"#,
        "utr"
      ),
      Case(ProfitAndLossFeed.profitAndLoss(), "spl+{}", "upl+{}"),
      Case(try AccountSummaryFeed.accountSummary(account: account), "ssd+DU1+{}", "usd+DU1+{}"),
      Case(
        try AccountSummaryFeed.accountSummary(
          account: account,
          keys: ["AccruedCash-S", "ExcessLiquidity-S"],
          fields: ["currency", "monetaryValue"]
        ),
        #"ssd+DU1+{"keys":["AccruedCash-S","ExcessLiquidity-S"],"#
          + #""fields":["currency","monetaryValue"]}"#,
        "usd+DU1+{}"
      ),
      Case(try AccountLedgerFeed.accountLedger(account: account), "sld+DU1+{}", "uld+DU1+{}"),
      Case(
        try AccountLedgerFeed.accountLedger(account: account, keys: ["LedgerListUSD"]),
        #"sld+DU1+{"keys":["LedgerListUSD"]}"#,
        "uld+DU1+{}"
      ),
    ]
  }

  @Test func writesTheGrammarByteForByte() throws {
    for sample in try Self.cases() {
      #expect(sample.request.subscribeCommand == sample.subscribe)
      #expect(sample.request.unsubscribeCommand == sample.unsubscribe)
      #expect(throws: Never.self) { try sample.request.validate() }
      // What is logged of a command is filed under its feed.
      #expect(Topic(command: sample.subscribe) == sample.request.topic)
      if let command = sample.unsubscribe {
        #expect(Topic(command: command) == sample.request.topic)
      }
      #expect(!"\(sample.request)".contains("DU1"))
    }
    #expect(Topic(command: "tic") == .tic)
    #expect(Topic(command: "") == .unrecognised)
    #expect(Topic(command: #"{"session":"x"}"#) == .unrecognised)
  }

  @Test func everyBarAndPeriodIsTheServers() throws {
    let bars = "1min 2min 3min 5min 10min 15min 30min 1h 2h 3h 4h 8h 1d 1w 1m"
    #expect(BarLength.allCases.map(\.rawValue).joined(separator: " ") == bars)
    #expect(
      BarSource.allCases.map(\.rawValue) == ["midpoint", "trades", "bid_ask", "bid", "ask"]
    )
    let units: [Unit] = [
      Unit(longest: "30min", count: 30) { try .minutes($0) },
      Unit(longest: "8h", count: 8) { try .hours($0) },
      Unit(longest: "1000d", count: 1000) { try .days($0) },
      Unit(longest: "792w", count: 792) { try .weeks($0) },
      Unit(longest: "182m", count: 182) { try .months($0) },
      Unit(longest: "15y", count: 15) { try .years($0) },
    ]
    for unit in units {
      #expect(try unit.make(unit.count).text == unit.longest)
      for wrong in [0, -1, unit.count + 1] {
        let error = #expect(throws: IbkrError.self) { _ = try unit.make(wrong) }
        #expect(error?.code == .invalidSubscription)
      }
    }
  }

  private struct Unit {
    let longest: String
    let count: Int
    let make: (Int) throws -> HistoryPeriod
  }

  @Test func whatCannotBeWrittenCannotBeMade() throws {
    let wrong: [() throws -> any Feed] = [
      { try MarketDataFeed.marketData(conid: 0) },
      { try MarketDataFeed.marketData(conid: 1, exchange: "A+B") },
      { try MarketDataFeed.marketData(conid: 1, fields: []) },
      { try MarketDataFeed.marketData(combination: []) },
      {
        try MarketDataFeed.marketData(
          combination: [.init(conid: 1, ratio: 1), .init(conid: 2, ratio: 0)]
        )
      },
      { try HistoryFeed.history(conid: -1) },
      { try OrdersFeed.orders(days: 0) },
      { try TradesFeed.trades(days: 8) },
      { try AccountSummaryFeed.accountSummary(account: Secret("")) },
      { try AccountLedgerFeed.accountLedger(account: Secret("D+1")) },
      {
        try PriceLadderFeed.priceLadder(account: Secret("DU1"), conid: 0)
      },
      {
        try PriceLadderFeed.priceLadder(account: Secret("DU 1"), conid: 1)
      },
      {
        try PriceLadderFeed.priceLadder(account: Secret("DU1"), conid: 1, exchange: "")
      },
    ]
    for make in wrong {
      let error = #expect(throws: IbkrError.self) { _ = try make() }
      #expect(error?.code == .invalidSubscription)
      #expect(error.map { "\($0)".contains("DU") } == false)
    }
  }
}
