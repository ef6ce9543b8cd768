// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import IBKR
import JSON
import Logging
import Testing

@testable import ibkr

@Suite struct InstrumentCacheTests {
  private let apple = Instrument(
    conid: 265_598,
    symbol: "AAPL",
    name: "APPLE \"INC\"",
    exchange: "NASDAQ",
    securityType: "STK",
    isUS: true,
    currency: "USD",
    multiplier: nil,
    tickSize: Decimal("0.01")
  )
  private let server = "https://localhost:5000"

  private func filled(now: Int64) throws -> InstrumentCache {
    var cache = InstrumentCache()
    cache.insert(apple, for: try InstrumentName("AAPL@NASDAQ"), at: server, now: now)
    return cache
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    let cache = InstrumentCache(try filled(now: 1_000).text, now: 1_000)
    let name = try InstrumentName("aapl@nasdaq")
    #expect(cache[name, server] == apple)
    #expect(cache[name, "https://localhost:5001"] == nil)
    #expect(cache[try InstrumentName("AAPL"), server] == nil)
    #expect(cache.damagedLines == 0)
  }

  @Test(arguments: [(0, true), (86_399, true), (86_400, false), (-1, false)] as [(Int64, Bool)])
  func aLineCountsForADay(_ age: Int64, _ counts: Bool) throws {
    let cache = InstrumentCache(try filled(now: 5_000_000).text, now: 5_000_000 + age)
    #expect((cache[try InstrumentName("AAPL@NASDAQ"), server] != nil) == counts)
  }

  @Test func damageIsCountedAndLeftOut() throws {
    let text = try filled(now: 1_000).text
    let damaged = "\u{0}\u{1}garbage\n" + text + "{\"server\":\"x\"}\n" + String(text.dropLast(9))
    let cache = InstrumentCache(damaged, now: 1_000)
    #expect(cache.damagedLines == 3)
    #expect(cache[try InstrumentName("AAPL@NASDAQ"), server] == apple)
    #expect(cache.text == text)
  }

  @Test func whatCouldNotBeLookedUpIsNotRemembered() throws {
    var cache = InstrumentCache()
    let name = try InstrumentName("7")
    cache.insert(Instrument(conid: 7, symbol: "7"), for: name, at: server, now: 1)
    #expect(cache.text == "")
  }

  @Test func theFileIsReplacedAndWhereItCannotBeNothingIsThrown() throws {
    let folder = "/tmp/cache-\(UInt64.random(in: 0 ... .max))"
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let variables = ["XDG_CACHE_HOME": folder, "HOME": "/nowhere"]
    let file = try #require(InstrumentCacheFile(variables: variables, logger: logger))
    #expect(file.path == "\(folder)/ibkr/instruments.ndjson")
    defer {
      unlink(file.path)
      rmdir("\(folder)/ibkr")
      rmdir(folder)
    }
    #expect(file.read(now: 1).text == "")
    file.write(try filled(now: 1))
    file.write(try filled(now: 2))
    #expect(file.read(now: 2).text == (try filled(now: 2).text))
    InstrumentCacheFile(path: "/proc/no/such/file", logger: logger).write(try filled(now: 1))
  }

  @Test(
    arguments: [
      (["HOME": "/home/me"], "/home/me/.cache/ibkr/instruments.ndjson"),
      (["HOME": "/home/me", "XDG_CACHE_HOME": "cache"], "/home/me/.cache/ibkr/instruments.ndjson"),
      ([:], nil),
    ] as [([String: String], String?)]
  )
  func thePlaceIsWhereTheDesktopKeepsCaches(_ variables: [String: String], _ path: String?) {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    #expect(InstrumentCacheFile(variables: variables, logger: logger)?.path == path)
  }
}
