// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

@Suite struct InstrumentNameTests {
  private static let apple = [
    Instrument(conid: 265598, symbol: "AAPL", exchange: "NASDAQ", isUS: true),
    Instrument(conid: 38_708_077, symbol: "AAPL", exchange: "MEXI", isUS: false),
  ]
  private static let twins = [
    Instrument(conid: 1, symbol: "TWIN", exchange: "NYSE", isUS: true, currency: "USD"),
    Instrument(conid: 2, symbol: "TWIN", exchange: "AMEX", isUS: true),
    Instrument(conid: 3, symbol: "TWIN", exchange: "LSE", isUS: false),
  ]
  private static let index = [
    Instrument(conid: 4, symbol: "SPX", exchange: "LSE", securityType: "STK", isUS: false),
    Instrument(conid: 5, symbol: "SPX", exchange: "ASX", securityType: "STK", isUS: false),
    Instrument(conid: 6, symbol: "SPX", exchange: "CBOE", securityType: "IND"),
  ]

  @Test(arguments: [
    ("AAPL", apple, 265_598), ("aapl", apple, 265_598), ("AAPL@NASDAQ", apple, 265_598),
    ("AAPL@MEXI", apple, 38_708_077), ("TWIN@AMEX", twins, 2), ("TWIN@lse", twins, 3),
    ("AAPL", [apple[1]], 38_708_077), ("SPX", index, 6), ("SPX@ASX", index, 5),
  ])
  func `A symbol is decided`(text: String, candidates: [Instrument], conid: Int) throws {
    #expect(try InstrumentName(text).choose(from: candidates).conid == conid)
  }

  @Test func `Namesakes are listed with the word for each, and not guessed`() throws {
    let name = try InstrumentName("TWIN")
    let error = #expect(throws: IbkrError.self) { try name.choose(from: Self.twins) }
    #expect(error?.code == .ambiguousSymbol)
    #expect(error?.candidates.map(\.conid) == [1, 2])
    #expect(
      error?.description
        == "2 instruments are called TWIN: write one of TWIN@NYSE (NYSE USD); TWIN@AMEX (AMEX)"
    )
  }

  @Test func `Where an exchange has two, their conids tell them apart`() {
    let future = Instrument(conid: 7, symbol: "DAXZ6", exchange: "EUREX")
    let mini = Instrument(conid: 8, symbol: "DAXZ6", exchange: "EUREX")
    #expect(future.word(among: [future, mini]) == "7")
    #expect(future.word(among: [future]) == "DAXZ6@EUREX")
  }

  @Test(arguments: [("TWIN", []), ("TWIN@ARCA", twins)])
  func `What is not listed is unknown`(text: String, candidates: [Instrument]) throws {
    let name = try InstrumentName(text)
    let error = #expect(throws: IbkrError.self) { try name.choose(from: candidates) }
    #expect(error?.code == .unknownSymbol)
    #expect(error?.description.contains(text) == true)
  }

  @Test func `Who wants one exchange's data is told how`() throws {
    let name = try InstrumentName("AAPL@ARCA")
    let error = #expect(throws: IbkrError.self) { try name.choose(from: Self.apple) }
    #expect(error?.remedy?.contains("did you mean AAPL@NASDAQ, AAPL@MEXI?") == true)
    #expect(error?.remedy?.hasSuffix("write 265598@ARCA") == true)
  }

  @Test(
    arguments: [
      "", "@", "AAPL@", "@NASDAQ", "A@B@C", "AAPL MSFT", "A  B", " A", "A ", "A+B", "A{}", "A\n",
      "Ä",
      "A,B", "A&b=c", "\"A\"", "0", "-", "99999999999", String(repeating: "A", count: 65),
    ].filter { $0 != "-" }
  )
  func `What cannot be a name is refused before it is asked for`(text: String) {
    let error = #expect(throws: IbkrError.self) { try InstrumentName(text) }
    #expect(error?.code == .unknownSymbol)
    #expect(error?.description.contains("AAPL@NASDAQ") == true)
  }

  @Test(
    arguments: [
      ("265598", .conid(265_598)), ("700@SEHK", .conid(700)), ("3M", .symbol), ("-5", .symbol),
      ("BRK B", .symbol), ("BRK.B", .symbol), ("eur.usd", .pair(base: "EUR", quote: "USD")),
      ("EUR.USDT", .symbol), ("IS3Q", .symbol), ("ESA6", .symbol), ("Z6", .symbol),
    ] as [(String, InstrumentName.Kind)]
  )
  func `Names are known by their looks`(text: String, kind: InstrumentName.Kind) throws {
    #expect(try InstrumentName(text).kind == kind)
  }

  @Test(
    arguments: [
      ("ESZ6", "ES", 12, true, false), ("ESZ26", "ES", 12, true, false),
      ("CLF7", "CL", 1, false, true), ("M2KU6", "M2K", 9, false, false),
    ]
  )
  func `Futures have a root, a month and the end of a year`(
    text: String,
    root: String,
    month: Int,
    isDecember2026: Bool,
    isJanuary2027: Bool
  ) throws {
    let future = try #require(FutureSymbol(text[...]))
    #expect(future.root == root)
    #expect(future.month == month)
    let december = try #require(ContractMonth(digits: "20261218"))
    #expect(future.matches(december) == isDecember2026)
    #expect(future.matches(try #require(december.advanced(by: 1))) == isJanuary2027)
    #expect(
      future.matches(try #require(ContractMonth(year: 2036, month: 12)))
        == (text == "ESZ6")
    )
    #expect(ContractMonth(name: december.name) == december)
  }

  @Test(
    arguments: [
      ("AAPL  261218C00250000", "AAPL", "250"), ("AAPL261218C00250000", "AAPL", "250"),
      ("aapl261218p00002500", "AAPL", "2.5"), ("SPXW  261218P06500000", "SPXW", "6500"),
      ("F     261218C00012345", "F", "12.345"), ("BRKB261218C01234500", "BRKB", "1234.5"),
    ]
  )
  func `Options are written as the OCC writes them`(
    text: String,
    root: String,
    strike: String
  ) throws {
    let name = try InstrumentName(text)
    guard case .option(let option) = name.kind else {
      Issue.record("\(text) is no option")
      return
    }
    #expect(option.root == root)
    #expect(option.strike == strike)
    #expect(option.maturity == "20261218")
    #expect(option.month.name == "DEC26")
    #expect(name.symbol == text.uppercased().filter { $0 != " " })
  }

  @Test(arguments: [
    "AAPL261318C00250000", "AAPL261232C00250000", "AAPL261218X00250000", "AAPL261218C00000000",
    "AAPL 261218C00250000", "261218C00250000",
  ])
  func `What is nearly an option is none`(text: String) {
    #expect(OptionSymbol(text[...]) == nil)
  }
}
