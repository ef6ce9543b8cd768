// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import GatewaySimulator

@Suite struct DerivativeTests {
  private func parse(_ response: GatewayResponse?) throws -> JSONValue {
    try JSONValue(parsing: Array(try #require(response).body.utf8))
  }

  private let question = "conid=265598&sectype=OPT&month=JUN26&strike=250&right=C"

  @Test func optionsAreToldOfOnlyAfterTheSearch() throws {
    var desk = Desk()
    let strikes = "/iserver/secdef/strikes?conid=265598&sectype=OPT&month=JUN26"
    #expect(try parse(desk.get(strikes))["call"]?.elements?.isEmpty == true)
    #expect(desk.get("/iserver/secdef/info?\(question)")?.status == 500)
    let search = try parse(desk.get("/iserver/secdef/search?symbol=AAPL"))
    #expect(search[0]?["sections"]?[1]?["months"]?.string?.hasPrefix("MAY26;JUN26") == true)
    #expect(try parse(desk.get(strikes))["call"]?.elements?.count == 41)
    let contracts = try parse(desk.get("/iserver/secdef/info?\(question)"))
    #expect(contracts.elements?.count == 2)
    #expect(contracts[0]?["maturityDate"]?.string == "20260619")
    // A search by name takes it back.
    _ = desk.get("/iserver/secdef/search?symbol=apple&name=true")
    #expect(try parse(desk.get(strikes))["call"]?.elements?.isEmpty == true)
  }

  @Test func aConidSaysWhatItStandsFor() throws {
    var desk = Desk()
    _ = desk.get("/iserver/secdef/search?symbol=AAPL")
    let option = try parse(desk.get("/iserver/secdef/info?\(question)"))[0]?["conid"]?.int
    let futures = try parse(desk.get("/trsrv/futures?symbols=ES,CL,NOSUCH"))
    let future = futures["ES"]?[0]?["conid"]?.int
    #expect(futures["NOSUCH"]?.elements?.isEmpty == true)
    for (conid, symbol) in [(option, "AAPL  260619C00250000"), (future, "ESM6")] {
      let info = try parse(desk.get("/iserver/contract/\(conid ?? 0)/info-and-rules?isBuy=true"))
      #expect(info["local_symbol"]?.string == symbol)
      #expect(info["rules"]?["incrementRules"]?[0]?["increment"]?.decimal != nil)
    }
  }

  @Test func everyConidThatIsGivenOutIsUnderstood() {
    let now = Desk().now
    var seen: Set<Int> = []
    let catalogue = InstrumentCatalogue.standard
    var contracts = FutureRoot.all.flatMap { $0.contracts(at: now) }
    for conid in [265_598, 416_904, 4_391] {
      guard let underlying = catalogue[conid] else { continue }
      for month in catalogue.optionMonths(of: underlying, at: now) {
        for strike in catalogue.strikes(of: underlying) {
          for right in ["C", "P"] {
            contracts += catalogue.options(of: underlying, month, strike: strike, right: right)
          }
        }
      }
    }
    for contract in contracts {
      #expect(seen.insert(contract.conid).inserted)
      #expect(contract.conid < Int(Int32.max))
      let again = catalogue[contract.conid]
      #expect(again?.kind == contract.kind)
      #expect(again?.localSymbol == contract.localSymbol)
      #expect((again?.price ?? 0) > 0)
    }
    #expect(contracts.count > 2_900)
  }

  @Test func conidsThatStandForNothingAreNone() {
    for conid in [-1, 0, 879_999_999, 900_000_000, 999_999_999, Int(Int32.max), Int.max] {
      #expect(InstrumentCatalogue.standard[conid] == nil, "\(conid)")
    }
  }

  @Test func pairsAreFoundByEitherSide() throws {
    var desk = Desk()
    for currency in ["EUR", "USD"] {
      let pairs = try parse(desk.get("/iserver/currency/pairs?currency=\(currency)"))
      let symbols = pairs[currency]?.elements?.compactMap { $0["symbol"]?.string } ?? []
      #expect(symbols.contains("EUR.USD"))
    }
    #expect(desk.get("/iserver/currency/pairs")?.status == 400)
  }

  @Test func anIndexHasNoBid() throws {
    let index = try #require(InstrumentCatalogue.standard[416_904])
    let feed = InstrumentFeed(index, seed: 1)
    #expect(feed.value(of: Field(number: 31)) != nil)
    #expect(feed.value(of: Field(number: 84)) == nil)
  }
}
