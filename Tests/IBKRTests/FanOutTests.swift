// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import IBKR

/// The fan-out of a stream as its users see it, against the simulated gateway.
@Suite(.timeLimit(.minutes(5))) struct FanOutTests {
  private let apple: MarketDataFeed

  init() throws { apple = try .marketData(conid: 265598) }

  @Test func anOverflowGapSaysHowMuchWasLost() async throws {
    let gateway = try await VirtualGateway(
      [apple],
      updatesPerSecond: 200,
      overflow: OverflowPolicy(.backpressure, maximumEvents: 100)
    )
    await gateway.pass(5)
    let bystander = MoodySubscriber(on: gateway.loop, seed: 1, longestStall: 0)
    let events = gateway.stream.events(matching: .all)
    let watching = Task(executorPreference: gateway.loop) { await bystander.take(events) }
    for _ in 0..<2 {
      await gateway.diary.stall()
      await gateway.pass(15)
      await gateway.diary.resume()
      await gateway.pass(5)
    }
    let error = try await gateway.end()
    #expect(error == nil)
    await watching.value
    let ended = await gateway.diary.gaps.filter { $0.reason == .overflow && $0.phase == .ended }
    #expect(ended.count == 2)
    #expect(ended.allSatisfy { ($0.count ?? 0) > 0 })
    #expect(Int(ended.reduce(0) { $0 + ($1.count ?? 0) }) == (await gateway.diary.dropped))
    // The others were slowed, and lost nothing.
    let log = await bystander.log
    let numbers = log.compactMap { if case .event(let seq) = $0 { seq } else { nil } }
    #expect(numbers.count == log.count)
    #expect(numbers == Array((numbers.first ?? 1)...(numbers.last ?? 0)))
  }

  @Test func theBookAndTheStatesAreAheadOfTheEvents() async throws {
    let gateway = try await VirtualGateway()
    let stream = gateway.stream
    let quotes = try await stream.subscribe(apple)
    #expect(stream.book[265598] == nil)
    let key = quotes.key
    let taking = Task(executorPreference: gateway.loop) {
      var bid: String?
      var seen = 0
      for try await quote in quotes {
        if let changed = quote.bid { bid = changed.description }
        let top = try #require(stream.book[quote.conid])
        #expect(top.stamp.seq >= quote.message.seq)
        if top.stamp.seq == quote.message.seq { #expect(top.bid?.description == bid) }
        seen += 1
        if seen == 20 { break }
      }
      return seen
    }
    let states = Task(executorPreference: gateway.loop) {
      var seen: [SubscriptionState] = []
      for await state in stream.states(of: key) { seen.append(state) }
      return seen
    }
    let connection = Task(executorPreference: gateway.loop) {
      var seen: [ConnectionState] = []
      for await state in stream.connectionStates { seen.append(state) }
      return seen
    }
    await gateway.pass(60)
    #expect(try await taking.value == 20)
    #expect(stream.book[265598] == nil, "the subscription has ended with the loop")
    let ended = await states.value
    #expect(ended.contains(.active))
    #expect(ended.last == .ended)
    var session = stream.sessionStates.makeAsyncIterator()
    #expect(await session.next()?.isReady == true)
    let error = try await gateway.end()
    #expect(error == nil)
    let seen = await connection.value
    #expect(seen.contains(.ready))
    #expect(seen.last == .closed)
  }

  @Test func aBookThatIsNotWantedIsNotKept() async throws {
    let gateway = try await VirtualGateway([apple]) { $0.keepsBook = false }
    await gateway.pass(20)
    #expect(await gateway.diary.quotes[265598, default: 0] > 0)
    #expect(gateway.stream.book[265598] == nil)
    _ = try await gateway.end()
  }

  @Test func aSubscriberThatFailsDoesNotEndTheOthers() async throws {
    let gateway = try await VirtualGateway([apple], updatesPerSecond: 40)
    let failing = MoodySubscriber(on: gateway.loop, seed: 3, longestStall: 3_000_000_000)
    let events = gateway.stream.events(
      matching: .marketData(),
      buffering: OverflowPolicy(.fail, maximumEvents: 20)
    )
    let task = Task(executorPreference: gateway.loop) { await failing.take(events) }
    await gateway.pass(60)
    #expect(await failing.log.last == .failed)
    task.cancel()
    await task.value
    let before = await gateway.diary.quotes[265598, default: 0]
    await gateway.pass(5)
    #expect(await gateway.diary.quotes[265598, default: 0] > before)
    let error = try await gateway.end()
    #expect(error == nil)
    #expect(await gateway.diary.isComplete)
    #expect(await gateway.diary.dropped == 0)
  }
}
