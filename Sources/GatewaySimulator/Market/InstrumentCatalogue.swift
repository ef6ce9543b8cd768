// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The contracts that can be looked up and subscribed.
///
/// Contract ids and prices are those of recorded traffic and of IBKR's own samples, April 2026; those
/// of derivatives, of the companies of the ambiguous symbols and of the numbered ones are the
/// simulator's own. Futures and options are not kept: an id says what it stands for, so that
/// there are some in every year.
struct InstrumentCatalogue: Sendable {
  private let instruments: [Instrument]
  private let byConid: [Int: Instrument]

  init(_ instruments: [Instrument]) {
    self.instruments = instruments
    byConid = Dictionary(instruments.map { ($0.conid, $0) }) { first, _ in first }
  }

  subscript(conid: Int) -> Instrument? {
    byConid[conid] ?? FutureRoot.future(conid) ?? option(conid)
  }

  /// The contracts of a symbol that are no derivatives, in the order in which IBKR lists them: by
  /// company.
  func contracts(symbol: String) -> [Instrument] {
    instruments.filter { $0.symbol == symbol && $0.type != "CASH" }
  }

  /// The stocks of a symbol.
  func stocks(symbol: String) -> [Instrument] {
    instruments.filter { $0.symbol == symbol && $0.type == "STK" }
  }

  /// The currency pairs that have a currency on either side.
  func pairs(of currency: String) -> [Instrument] {
    instruments.filter {
      $0.type == "CASH" && ($0.symbol == currency || $0.currency == currency)
    }
  }

  /// The contracts whose company name contains `text`, letter case aside.
  func contracts(nameContaining text: String) -> [Instrument] {
    let wanted = text.uppercased()
    return instruments.filter { $0.companyName.contains(wanted) && $0.type != "CASH" }
  }

  /// The same, and so many more that exist nowhere else, with the conids from `firstNumbered` on.
  func adding(numbered count: Int) -> InstrumentCatalogue {
    let numbered = (0..<max(0, count)).map { number in
      Instrument(
        Self.firstNumbered + number,
        "SIM\(number)",
        "SIMULATED COMPANY \(number)",
        "NASDAQ",
        price: 10_000 + 37 * Int64(number)
      )
    }
    return InstrumentCatalogue(instruments + numbered)
  }

  /// The conid of the first numbered instrument.
  static let firstNumbered = 910_000_000

  static let standard = InstrumentCatalogue([
    Instrument(265598, "AAPL", "APPLE INC", "NASDAQ", price: 27_167),
    Instrument(
      38_708_077,
      "AAPL",
      "APPLE INC",
      "MEXI",
      price: 473_510,
      isUS: false,
      behaviour: .frozen,
      availability: "ZB"
    ),
    Instrument(272093, "MSFT", "MICROSOFT CORP", "NASDAQ", price: 41_753),
    Instrument(8314, "IBM", "INTL BUSINESS MACHINES CORP", "NYSE", price: 23_012),
    Instrument(3_691_937, "AMZN", "AMAZON.COM INC", "NASDAQ", price: 27_281),
    Instrument(208_813_720, "GOOG", "ALPHABET INC-CL C", "NASDAQ", price: 37_471),
    Instrument(107_113_386, "META", "META PLATFORMS INC-CLASS A", "NASDAQ", price: 60_600),
    Instrument(4_815_747, "NVDA", "NVIDIA CORP", "NASDAQ", price: 21_085),
    Instrument(76_792_991, "TSLA", "TESLA INC", "NASDAQ", price: 37_335),
    Instrument(15_124_833, "NFLX", "NETFLIX INC", "NASDAQ", price: 9_144),
    Instrument(270639, "INTC", "INTEL CORP", "NASDAQ", price: 9_723),
    Instrument(268084, "CSCO", "CISCO SYSTEMS INC", "NASDAQ", price: 8_918),
    Instrument(265768, "ADBE", "ADOBE INC", "NASDAQ", price: 24_136),
    Instrument(4391, "AMD", "ADVANCED MICRO DEVICES", "NASDAQ", price: 21_450),
    Instrument(732_440_574, "LRCX", "LAM RESEARCH CORP", "NASDAQ", price: 24_860),
    Instrument(8719, "JNJ", "JOHNSON & JOHNSON", "NYSE", price: 22_800),
    Instrument(11054, "PG", "PROCTER & GAMBLE CO/THE", "NYSE", price: 14_607),
    Instrument(11017, "PEP", "PEPSICO INC", "NASDAQ", price: 15_454),
    Instrument(8894, "KO", "COCA-COLA CO/THE", "NYSE", price: 7_868),
    Instrument(13824, "WMT", "WALMART INC", "NASDAQ", price: 12_738),
    Instrument(6459, "DIS", "WALT DISNEY CO/THE", "NYSE", price: 10_156),
    Instrument(10098, "BAC", "BANK OF AMERICA CORP", "NYSE", price: 5_264, availability: "DPB"),
    Instrument(7930, "HD", "HOME DEPOT INC", "NYSE", price: 32_288, behaviour: .availabilityFirst),
    Instrument(13272, "UNH", "UNITEDHEALTH GROUP INC", "NYSE", price: 36_921, behaviour: .halted),
    Instrument(756733, "SPY", "SPDR S&P 500 ETF TRUST", "ARCA", price: 65_589),
    Instrument(320_227_571, "QQQ", "INVESCO QQQ TRUST SERIES 1", "NASDAQ", price: 58_840),
    // Three digits after the point, and prices that come late.
    Instrument(
      80_268_543,
      "IS3Q",
      "ISHARES MSCI WRLD QUAL",
      "IBIS2",
      price: 64_838,
      priceDigits: 3,
      tick: 2,
      isUS: false,
      behaviour: .availabilityFirst,
      availability: "RPB"
    ),
    // Found by its number, but without data.
    Instrument(8595, "JDAS", "DELISTED", "VALUE", price: 0, behaviour: .noData),
    // One symbol, two companies, neither of them American: nobody can guess which is meant.
    Instrument(900_000_001, "SAN", "BANCO SANTANDER SA", "BM", price: 985, isUS: false),
    Instrument(900_000_002, "SAN", "SANOFI", "SBF", price: 8_436, isUS: false),
    // An index, and a company in London with the same symbol: who writes SPX means the index.
    Instrument(
      900_000_003,
      "SPX",
      "SPIRAX GROUP PLC",
      "LSE",
      price: 6_790,
      isUS: false,
      currency: "GBP"
    ),
    Instrument(416_904, "SPX", "S&P 500 STOCK INDEX", "CBOE", price: 655_700, kind: .index),
    Instrument(416_843, "NDX", "NASDAQ 100 STOCK INDEX", "NASDAQ", price: 2_415_000, kind: .index),
    Instrument(
      13_455_763,
      "VIX",
      "CBOE VOLATILITY INDEX",
      "CBOE",
      price: 1_850,
      kind: .index
    ),
    // A class of shares, with the space that IBKR writes.
    Instrument(72_063_691, "BRK B", "BERKSHIRE HATHAWAY INC-CL B", "NYSE", price: 49_120),
    pair(12_087_792, "EUR", "USD", price: 115_420),
    pair(12_087_797, "GBP", "USD", price: 131_015),
    pair(12_087_807, "EUR", "GBP", price: 88_095),
    pair(12_087_820, "USD", "CHF", price: 80_550),
    pair(14_433_401, "AUD", "USD", price: 64_730),
    pair(15_016_062, "USD", "CAD", price: 140_510),
    pair(15_016_059, "USD", "JPY", price: 156_340, digits: 3),
  ])

  private static func pair(
    _ conid: Int,
    _ base: String,
    _ quote: String,
    price: Int64,
    digits: Int = 5
  ) -> Instrument {
    Instrument(
      conid,
      base,
      "\(base).\(quote)",
      "IDEALPRO",
      price: price,
      priceDigits: digits,
      tick: 5,
      isUS: false,
      kind: .currency,
      currency: quote
    )
  }
}
