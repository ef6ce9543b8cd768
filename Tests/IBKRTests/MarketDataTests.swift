// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import IBKR

@Suite struct MarketDataTests {
  struct Printed: Sendable, CustomTestStringConvertible {
    var text: String
    var number: String?
    var mark: MarketDataValue.Mark?
    var isNone = false
    var isAbbreviated = false
    var testDescription: String { "'\(text)'" }
  }

  @Test(arguments: [
    Printed(text: "271.55", number: "271.55"),
    Printed(text: "64.780", number: "64.780"),
    Printed(text: "C4735.10", number: "4735.10", mark: .previousClose),
    Printed(text: "H170.00", number: "170.00", mark: .halted),
    Printed(text: "-37.63", number: "-37.63"),
    Printed(text: "+1.5%", number: "1.5"),
    Printed(text: "0.54%", number: "0.54"),
    Printed(text: "1,300", number: "1300"),
    Printed(text: "1,005,254.50", number: "1005254.50"),
    Printed(text: "12.2M", number: "12200000", isAbbreviated: true),
    Printed(text: "3k", number: "3000", isAbbreviated: true),
    Printed(text: "1.25B", number: "1250000000", isAbbreviated: true),
    Printed(text: "2T", number: "2000000000000", isAbbreviated: true),
    Printed(text: "1.22E7", number: "12200000"),
    Printed(text: "2.0201311791131118E8", number: "202013117.91131118"),
    Printed(text: " 5 ", number: "5"),
    Printed(text: ".5", number: "0.5"),
    Printed(text: "0", number: "0"),
    Printed(text: "", isNone: true),
    Printed(text: "-", isNone: true),
    Printed(text: "N/A", isNone: true),
    Printed(text: "None", isNone: true),
    Printed(text: "null", isNone: true),
    Printed(text: "101'16"),
    Printed(text: "X12.5"),
    Printed(text: "C"),
    Printed(text: "1.2.3"),
    Printed(text: "RPB"),
    Printed(text: "M"),
    Printed(text: ","),
    Printed(text: String(repeating: "9", count: 60)),
  ])
  func readsNumbersAsIBKRPrintsThem(_ printed: Printed) {
    Array(printed.text.utf8).withUnsafeBytes { bytes in
      let number = QuoteNumber(bytes, allowsMark: true)
      #expect(number.decimal?.description == printed.number)
      #expect(number.mark == printed.mark)
      #expect(number.isNone == printed.isNone)
      #expect(number.isAbbreviated == printed.isAbbreviated)
    }
  }

  @Test func aLetterMeansSomethingBeforePricesOnly() {
    Array("C12".utf8).withUnsafeBytes { bytes in
      let number = QuoteNumber(bytes, allowsMark: false)
      #expect(number.decimal == nil)
      #expect(number.mark == nil)
    }
  }

  private func message(_ text: String) throws -> Message {
    var replayer = EventReplayer()
    replayer.append(text, seq: 1, at: 1)
    let batch = replayer.take()
    guard case .message(let message) = batch?.first else { throw CancellationError() }
    return message
  }

  @Test func decodesWhatIsAskedFor() throws {
    let quote = try #require(
      MarketData(
        message(
          #"{"conid":265598,"topic":"smd+265598","31":"C168.42","83":0.56,"7051":"AÉ","87":"1.2M"}"#
        )
      )
    )
    #expect(quote.last == Decimal("168.42"))
    #expect(quote[.lastPrice]?.mark == .previousClose)
    #expect(quote[.changePercent]?.text == "0.56")
    #expect(quote[.companyName]?.text == "AÉ")
    #expect(quote[.companyName]?.decimal == nil)
    #expect(quote[.volume]?.decimal == Decimal("1200000"))
    #expect(quote.bid == nil)
    #expect(quote.fields.map(\.field.id) == [31, 83, 7051, 87])
  }

  @Test func onlyAQuoteIsAQuote() throws {
    #expect(try MarketData(message(#"{"topic":"system","hb":1}"#)) == nil)
  }

  @Test func knowsItsFields() throws {
    #expect(MarketDataField.all.count == 118)
    #expect(MarketDataField(named: "bid_price") == .bidPrice)
    #expect(MarketDataField(named: "7762") == .init(7762))
    #expect(MarketDataField(named: "nonsense") == nil)
    #expect(MarketDataField(84).description?.kind == .price)
    #expect(MarketDataField(99_999).name == "99999")
    #expect(MarketDataField.search("BEST bid").map(\.field) == [.bidPrice])
    #expect(MarketDataField.all.map(\.field.id) == MarketDataField.all.map(\.field.id).sorted())
  }

  @Test(arguments: [
    (
      MarketDataFeed(conid: 265598, exchange: nil, fields: [.lastPrice, .bidPrice]),
      #"smd+265598+{"fields":["31","84"]}"#, "umd+265598+{}"
    ),
    (
      MarketDataFeed(conid: 265598, exchange: "ARCA", fields: [.lastPrice]),
      #"smd+265598@ARCA+{"fields":["31"]}"#, "umd+265598@ARCA+{}"
    ),
  ])
  func writesCommands(_ feed: MarketDataFeed, subscribe: String, unsubscribe: String) throws {
    try feed.request.validate()
    #expect(feed.request.subscribeCommand == subscribe)
    #expect(feed.request.unsubscribeCommand == unsubscribe)
  }

  @Test(arguments: [
    MarketDataFeed(conid: 0, exchange: nil, fields: [.lastPrice]),
    MarketDataFeed(conid: -5, exchange: nil, fields: [.lastPrice]),
    MarketDataFeed(conid: 1, exchange: nil, fields: []),
    MarketDataFeed(conid: 1, exchange: "A+B", fields: [.lastPrice]),
    MarketDataFeed(conid: 1, exchange: "A B", fields: [.lastPrice]),
    MarketDataFeed(conid: 1, exchange: "{}", fields: [.lastPrice]),
    MarketDataFeed(conid: 1, exchange: "É", fields: [.lastPrice]),
  ])
  func refusesWhatCannotBeWritten(_ feed: MarketDataFeed) {
    let error = #expect(throws: IbkrError.self) { try feed.request.validate() }
    #expect(error?.code == .invalidSubscription)
  }
}
