// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

@main struct Bot {
  var symbol = "AAPL"
  var quotes = 100
  var signal: (String) -> Void = { print($0) }

  static func main() async throws { try await Bot().trade(at: .fromEnvironment()) }

  func trade(at gateway: IbkrConfiguration) async throws {
    let client = try IbkrClient(configuration: gateway)
    let conid = try await client.instruments(for: [symbol])[0].conid
    try await withIbkrWsClient(ibkrClient: client) { stream in
      let feed = try MarketDataFeed.marketData(conid: conid)
      var average: Double?
      let news = try await stream.subscribe(feed, buffering: .latestPerInstrument)
      for try await _ in news.prefix(quotes) {
        guard let quote = stream.book[conid], let bid = quote.bid, let ask = quote.ask,
          let price = quote.middle, let age = quote.age(of: .bidPrice), age < .seconds(30)
        else { continue }
        let before = average ?? price
        average = before + (price - before) / 20
        if price > before * 1.0001 { signal("buy \(symbol) at \(ask)") }
        if price < before * 0.9999 { signal("sell \(symbol) at \(bid)") }
      }
    }
    await client.close()
  }
}
