// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR
import Testing

// What the articles show; scripts/lib/check-readme compares the two.

/// A row of a table: a quote, or why there is none.
struct Row: Sendable {
  var time: Int64
  var conid: Int?
  var last: String?
  var note: String?
}

struct TableSink: EventSink {
  let overflow = OverflowPolicy.dropOldest(100_000)
  let insert: @Sendable ([Row]) async throws -> Void

  func write(_ batch: EventBatch) async throws {
    var rows: [Row] = []
    for event in batch {
      switch event {
      case .message(let message):
        guard let quote = message.marketData else { continue }
        let last = quote.last.map { "\($0)" }
        rows.append(Row(time: message.tsRecv, conid: message.conid, last: last))
      case .gap(let gap):
        guard let end = gap.end else { continue }
        rows.append(Row(time: end.realtime, note: "no data before this: \(gap.reason.rawValue)"))
      case .dropped(let count, _):
        rows.append(Row(time: 0, note: "\(count) events lost: the table was too slow"))
      default: continue
      }
    }
    if !rows.isEmpty { try await insert(rows) }
  }
}

@Test(.timeLimit(.minutes(5))) func whatFollowsAnOutageIsTold() async throws {
  var market = GatewaySimulatorConfiguration()
  market.updatesPerSecond = 100
  let simulator = try await GatewaySimulator.start(market)
  var gateway = IbkrConfiguration()
  gateway.restURL = simulator.url
  gateway.trust = .authorities(pem: simulator.caPEM)
  let client = try IbkrClient(configuration: gateway)

  let reason = try await withIbkrWsClient(ibkrClient: client) { stream -> GapReason? in
    try await stream.want(.marketData(conid: 265598))
    var quotes = 0
    for try await event in stream.events(matching: .marketData()) {
      switch event {
      case .message:
        quotes += 1
        if quotes == 10 { await simulator.inject(.dropConnections) }
      case .gap(let gap) where gap.end != nil: return gap.reason
      default: break
      }
    }
    return nil
  }
  // `disconnect`; in one of IBKR's windows the same loss is called `maintenance`, and a machine that
  // is busy enough notices the silence first.
  #expect(reason != nil)
  await client.close()
  try await simulator.stop()
}

@Suite(.timeLimit(.minutes(5))) struct ArticleExampleTests {
  @Test func theTableHasQuotesAndTheOutage() async throws {
    var market = GatewaySimulatorConfiguration()
    market.updatesPerSecond = 100
    let simulator = try await GatewaySimulator.start(market)
    var gateway = IbkrConfiguration()
    gateway.restURL = simulator.url
    gateway.trust = .authorities(pem: simulator.caPEM)
    let client = try IbkrClient(configuration: gateway)
    let (rows, input) = AsyncStream<Row>.makeStream()
    try await withIbkrWsClient(ibkrClient: client) { stream in
      stream.attach(TableSink(insert: { for row in $0 { input.yield(row) } }))
      try await stream.want(.marketData(conid: 265598))
      var prices = 0
      for await row in rows {
        if row.note?.hasPrefix("no data before this") == true { break }
        if row.conid == 265_598, row.last != nil { prices += 1 }
        if prices == 3 { await simulator.inject(.dropConnections) }
      }
      #expect(prices >= 3)
    }
    await client.close()
    try await simulator.stop()
  }
}
