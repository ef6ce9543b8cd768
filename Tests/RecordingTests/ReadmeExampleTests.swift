// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR
import Recording
import Testing
import Transport

/// The README's example; scripts/lib/check-readme compares the two.
func record(_ symbol: String, from gateway: IbkrConfiguration, to directory: String) async throws {
  let client = try IbkrClient(configuration: gateway)
  let found = try await client.instruments(for: [symbol])
  let files = try NDJSONFileSink(.init(directory: directory))
  try await files.learn(found)

  try await withIbkrWsClient(ibkrClient: client) { stream in
    stream.attach(files)
    let quotes = try await stream.subscribe(.marketData(conid: found[0].conid))
    for try await quote in quotes.prefix(5) {
      print(quote.conid, "bid", quote.bid ?? "-", "ask", quote.ask ?? "-")
    }
  }
}

/// The README's bot that knows neither past nor present.
func crossings<Source: MarketSource>(of conid: Int, on source: Source) async throws -> Int {
  var (count, last) = (0, "")
  for try await quote in try await source.subscribe(.marketData(conid: conid)) {
    guard let bid = quote.bid, let price = quote.last else { continue }
    let side = price > bid ? "above" : "at the bid"
    if side != last { count += 1 }
    last = side
  }
  return count
}

func pastCrossings(of conid: Int, in directory: String) async throws -> Int {
  let replay = try Replay(directory: directory)
  async let count = crossings(of: conid, on: replay)
  try await replay.run()
  return try await count
}

@Suite(.timeLimit(.minutes(5))) struct ReadmeExampleTests {
  @Test func `The example records what it shows`() async throws {
    let simulator = try await GatewaySimulator.start(GatewaySimulatorConfiguration())
    var gateway = IbkrConfiguration()
    gateway.restURL = simulator.url
    gateway.trust = .authorities(pem: simulator.caPEM)
    let folder = try TemporaryDirectory()
    try await record("AAPL", from: gateway, to: folder.path)
    try await simulator.stop()
    #expect(folder.contents("_manifest.ndjson")?.contains("symbol=AAPL") == true)
    #expect(try await pastCrossings(of: 265_598, in: folder.path) > 0)
  }
}
