// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import JSON
import Testing
import Transport

@testable import IBKR

/// A client of a simulated gateway in April 2026.
private struct Desk {
  let loop: EventLoop
  let tap: RequestTap
  let simulator: GatewaySimulator
  let client: IbkrClient

  init() async throws {
    loop = try EventLoop(
      virtual: Timestamp(
        realtime: 1_777_552_110_000_000_000,
        monotonic: 1_000_000_000,
        boot: 1_000_000_000
      ),
      advance: .onDemand
    )
    let network = MemoryNetwork()
    tap = RequestTap(network)
    simulator = try await GatewaySimulator.start(
      GatewaySimulatorConfiguration(),
      listener: network.listen(host: "gateway", port: 5000, on: loop),
      loop: loop
    )
    var configuration = IbkrConfiguration()
    configuration.restURL = "http://gateway:5000/v1/api"
    client = try IbkrClient(configuration: configuration, loop: loop, connector: tap)
  }

  func perform<Value: Sendable>(
    _ body: @escaping @Sendable (IbkrClient) async throws(IbkrError) -> Value
  ) async throws -> Value {
    let client = client
    let task = Task(executorPreference: loop) {
      await Result { () async throws(IbkrError) in try await body(client) }
    }
    await loop.advance(by: .seconds(20))
    let result = await task.value
    let closing = Task(executorPreference: loop) { await client.close() }
    await loop.advance(by: .seconds(1))
    await closing.value
    try await simulator.stop()
    loop.stop()
    return try result.get()
  }

  static func instruments(_ names: String...) async throws -> [Instrument] {
    try await Desk().perform { client throws(IbkrError) in
      try await client.instruments(for: names)
    }
  }

  static func error(_ name: String) async throws -> IbkrError {
    let desk = try await Desk()
    return try await desk.perform { client in
      do throws(IbkrError) {
        let found = try await client.instruments(for: [name])
        return IbkrError(.closed, "\(found) was found")
      } catch {
        return error
      }
    }
  }
}

@Suite(.timeLimit(.minutes(5))) struct InstrumentLookUpTests {
  @Test func `Every kind of name is found, in its order, with what a recording wants to know`()
    async throws
  {
    let found = try await Desk.instruments(
      "AAPL",
      "SPX",
      "EUR.USD",
      "ESU6@CME",
      "AAPL  260619C00250000",
      "SPX@LSE",
      "BRK B",
      "265598"
    )
    #expect(
      found.map(\.symbol) == [
        "AAPL", "SPX", "EUR.USD", "ESU6", "AAPL260619C00250000", "SPX", "BRK B", "AAPL",
      ]
    )
    #expect(
      found.map(\.securityType) == [
        "STK", "IND", "CASH", "FUT", "OPT", "STK", "STK", "STK",
      ]
    )
    #expect(found.map(\.currency) == ["USD", "USD", "USD", "USD", "USD", "GBP", "USD", "USD"])
    #expect(
      found.map(\.exchange) == [
        "NASDAQ", "CBOE", "IDEALPRO", "CME", "SMART", "LSE", "NYSE", "NASDAQ",
      ]
    )
    #expect(found[3].multiplier == Decimal("50"))
    #expect(found[4].multiplier == Decimal("100"))
    #expect(found[0].multiplier == nil)
    #expect(
      found.map(\.tickSize).prefix(4) == [
        Decimal("0.01"), Decimal("0.01"), Decimal("0.00005"), Decimal("0.25"),
      ]
    )
  }

  @Test func `A future is known by its month and not by the day on which it ends`() async throws {
    // Crude oil of July ends in June, as does that of June not.
    let oil = try await Desk().perform { client throws(IbkrError) in
      let found = try await client.instruments(for: ["CLN6"])
      return try await client.contractDetails(of: found[0].conid)
    }
    #expect(oil.contractMonth == "202607")
    #expect(oil.maturity?.hasPrefix("202606") == true)
    #expect(oil.instrument.symbol == "CLN6")
  }

  @Test func `A derivative named by its conid has its own symbol`() async throws {
    let found = try await Desk().perform { client throws(IbkrError) in
      let first = try await client.instruments(for: ["ESU6", "AAPL260619P00250000"])
      return try await client.instruments(for: first.map { "\($0.conid)" })
    }
    #expect(found.map(\.symbol) == ["ESU6", "AAPL260619P00250000"])
  }

  @Test func `Weekly options of an index have the class that was named`() async throws {
    let found = try await Desk.instruments("SPXW260605C06550000", "SPX260619C06550000")
    #expect(found.map(\.symbol) == ["SPXW260605C06550000", "SPX260619C06550000"])
    #expect(Set(found.map(\.conid)).count == 2)
  }

  @Test(
    arguments: [
      ("MFST", "did you mean MSFT (MICROSOFT CORP)?"),
      ("AAPLL", "did you mean AAPL (APPLE INC)?"),
      ("APPL", "did you mean AAPL@NASDAQ (APPLE INC), AAPL@MEXI (APPLE INC)?"),
      ("BRK.B", "did you mean 'BRK B' (BERKSHIRE HATHAWAY INC-CL B)?"),
      ("WALMART", "did you mean WMT (WALMART INC)?"),
      ("ES", "ES has futures: did you mean ESM6, ESU6, ESZ6, ESH7?"),
      ("ESV6", "did you mean ESM6"), ("USD.EUR", "did you mean EUR.USD"),
      ("AAPL@ARCA", "265598@ARCA"), ("NOSUCH", "check the spelling"),
      ("AAPL260619C00252000", "did you mean AAPL260619C00250000"),
      ("AAPL260612C00250000", "did you mean AAPL260619C00250000"),
      ("AAPL301220C00250000", "options of AAPL end in MAY26, JUN26"),
      ("QQQQ260619C00250000", "there are no options of QQQQ"),
    ]
  )
  func `What is unknown is told with what may have been meant`(
    name: String,
    hint: String
  ) async throws {
    let error = try await Desk.error(name)
    #expect(error.code == .unknownSymbol)
    #expect(error.description.contains(hint), "\(error)")
  }

  @Test(arguments: [
    ("SAN", ["SAN@BM", "SAN@SBF"]), ("DAXM6", []),
  ])
  func `What several have is listed`(name: String, words: [String]) async throws {
    let error = try await Desk.error(name)
    #expect(error.code == .ambiguousSymbol)
    #expect(error.candidates.count == 2)
    for word in words { #expect(error.description.contains(word), "\(error)") }
    // The two futures differ in nothing but what a point is worth.
    if name == "DAXM6" {
      #expect(Set(error.candidates.compactMap { $0.multiplier?.description }) == ["25", "5"])
      for candidate in error.candidates {
        #expect(error.description.contains("\(candidate.conid) (FUT EUREX EUR"), "\(error)")
      }
    }
  }

  @Test func `A search finds by symbol first, then by name, and says what is traded`() async throws
  {
    let found = try await Desk().perform { client throws(IbkrError) in
      try await client.search("spx") + client.search("apple")
    }
    #expect(found.map(\.instrument.symbol) == ["SPX", "SPX", "AAPL", "AAPL"])
    #expect(found[1].section("OPT")?.months.first == "MAY26")
    #expect(found.allSatisfy { $0.instrument.conid != Int(Int32.max) })
  }

  @Test func `What a server may leave out of a search is borne`() throws {
    let texts = [
      #"{"conid":-1,"symbol":"X"}"#, #"{"conid":"2147483647","symbol":null}"#, "{}", "null",
      #"{"conid":"7"}"#,
    ]
    for text in texts {
      #expect(InstrumentMatch(answer: try JSONValue(parsing: Array(text.utf8))) == nil)
    }
    let bare = try JSONValue(parsing: Array(#"{"conid":7,"symbol":"X"}"#.utf8))
    #expect(InstrumentMatch(answer: bare)?.isInstrument == true)
  }
}
