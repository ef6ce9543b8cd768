// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import Testing

@testable import IBKR

/// The bars of gaps against the simulated gateway: asked for after the gap, behind everything else.
@Suite(.timeLimit(.minutes(5))) struct BackfillTests {
  /// What came of the bars.
  private struct Seen {
    var bars: [(conid: Int, time: Int64)] = []
    var answers: [Backfill] = []
    var volumes: [String] = []
  }

  private func take(_ events: EventStream) async throws -> Seen {
    var seen = Seen()
    for try await event in events {
      guard case .message(let message) = event, message.kind == .backfill,
        let backfill = message.backfill, let history = message.history
      else { continue }
      seen.answers.append(backfill)
      #expect(message.conid == backfill.conid && message.direction == .inbound)
      for bar in history.bars {
        guard let time = bar.time, backfill.range.contains(time) else { continue }
        seen.bars.append((backfill.conid, time))
        if let volume = bar.volume { seen.volumes.append("\(volume)") }
      }
    }
    return seen
  }

  private func gateway(
    _ feeds: [MarketDataFeed],
    _ events: [Scenario.Event],
    fillsGaps: Bool = true
  ) async throws -> (VirtualGateway, EventStream) {
    let gateway = try await VirtualGateway(feeds, events: events) { $0.fillsGaps = fillsGaps }
    return (gateway, gateway.stream.events(matching: .messages([.history])))
  }

  private static func feeds() throws -> [MarketDataFeed] {
    try [.marketData(conid: 265_598), .marketData(conid: 272_093, exchange: "ARCA")]
  }

  @Test func anOutageIsFilled() async throws {
    let (gateway, events) = try await gateway(
      try Self.feeds(),
      [.init(.refuseConnections(for: .seconds(100)), after: .seconds(30))]
    )
    await gateway.pass(400)
    let (gaps, told) = await (gateway.diary.gaps, gateway.diary.backfills)
    #expect(try await gateway.end() == nil)
    let gap = try #require(gaps.last)
    #expect(gaps.map(\.phase) == [.began, .ended] && gap.willBeFilled)
    let end = try #require(gap.end).realtime
    #expect(told.map(\.state) == [.done, .done])
    #expect(told.map(\.backfill.target) == ["265598", "272093@ARCA"])
    #expect(told.allSatisfy { $0.backfill.gap == .own(gap.id) && $0.rest == nil })
    #expect(told.allSatisfy { $0.backfill.range == gap.start.realtime..<end })
    let seen = try await take(events)
    // Each minute that the gap touches, once, for each instrument.
    let minute: Int64 = 60_000_000_000
    let first = gap.start.realtime / minute * minute
    let wanted = Array(stride(from: first, to: end, by: Int(minute)))
    #expect(wanted.count >= 2)
    for conid in [265_598, 272_093] {
      #expect(seen.bars.filter { $0.conid == conid }.map(\.time) == wanted)
    }
    #expect(told.map(\.bars) == [wanted.count, wanted.count])
    #expect(seen.volumes.count == seen.bars.count)
    #expect(await gateway.diary.isComplete)
    // Nothing was asked before the session was open for ten seconds, and nothing at once.
    let questions = await gateway.simulator.requests.filter {
      $0.path == "/iserver/marketdata/history"
    }
    #expect(questions.count == 2)
  }

  @Test func withoutTheOptionNothingIsAsked() async throws {
    let (gateway, events) = try await gateway(
      try Self.feeds(),
      [.init(.dropConnections, after: .seconds(30))],
      fillsGaps: false
    )
    await gateway.pass(300)
    let gaps = await gateway.diary.gaps
    #expect(try await gateway.end() == nil)
    #expect(gaps.count == 2 && gaps.allSatisfy { !$0.willBeFilled })
    #expect(try await take(events).answers.isEmpty)
    #expect(await gateway.diary.backfills.isEmpty)
  }

  /// What goes wrong with the question, and what is told in the end.
  @Test(
    arguments: [
      (HistoryTrouble.cold, ["done"], true), (.refused, ["unavailable"], false),
      (.noData, ["unavailable"], false), (.empty, ["unavailable"], false),
      (.unanswered, ["unavailable"], false), (.broken, ["unavailable"], false),
      (.delayed, ["pending", "done"], true),
    ]
  )
  func everyAnswerComesToAState(
    _ trouble: HistoryTrouble,
    _ states: [String],
    _ hasBars: Bool
  ) async throws {
    let (gateway, events) = try await gateway(
      [try .marketData(conid: 265_598)],
      [
        .init(.dropConnections, after: .seconds(30)),
        .init(.history(trouble, for: .seconds(1_100)), after: .seconds(31)),
      ]
    )
    await gateway.pass(1_300)
    let told = await gateway.diary.backfills
    let gaps = await gateway.diary.gaps
    #expect(try await gateway.end() == nil)
    #expect(told.map(\.state.rawValue) == states, "\(told.map(\.reason))")
    #expect(try await take(events).bars.isEmpty != hasBars)
    // The stream has not suffered from it.
    #expect(gaps.map(\.phase) == [.began, .ended])
    #expect(await gateway.diary.isComplete)
  }

  @Test func halfAnAnswerIsCalledPartial() async throws {
    let (gateway, events) = try await gateway(
      [try .marketData(conid: 265_598)],
      [
        .init(.refuseConnections(for: .seconds(300)), after: .seconds(30)),
        .init(.history(.half, for: .seconds(3_600)), after: .seconds(31)),
      ]
    )
    await gateway.pass(1_500)
    let told = await gateway.diary.backfills
    #expect(try await gateway.end() == nil)
    let last = try #require(told.last)
    #expect(last.state == .partial && last.bars > 0 && last.rest == nil)
    let seen = try await take(events)
    #expect(seen.bars.count == last.bars)
    #expect(Set(seen.bars.map(\.time)).count == seen.bars.count)
  }

  @Test func anotherOutageInterruptsItAndItGoesOn() async throws {
    let (gateway, events) = try await gateway(
      try Self.feeds(),
      [
        .init(.dropConnections, after: .seconds(30)),
        .init(.history(.unanswered, for: .seconds(50)), after: .seconds(31)),
        // While the first question waits for its answer.
        .init(.refuseConnections(for: .seconds(20)), after: .seconds(75)),
      ]
    )
    await gateway.pass(600)
    let (gaps, told) = await (gateway.diary.gaps, gateway.diary.backfills)
    #expect(try await gateway.end() == nil)
    #expect(gaps.count(where: { $0.phase == .ended }) == 2)
    // Both gaps, each for both instruments, whatever they have in common.
    #expect(told.map(\.state) == [.done, .done, .done, .done])
    #expect(Set(told.map(\.backfill)).count == 4)
    #expect(try await take(events).answers.count == 4)
  }

  @Test func aLimitOfTheServersIsKeptTo() async throws {
    let (gateway, _) = try await gateway(
      [try .marketData(conid: 265_598)],
      [
        .init(.dropConnections, after: .seconds(30)),
        .init(.history(.tooMany, for: .seconds(90)), after: .seconds(31)),
      ]
    )
    await gateway.pass(1_500)
    let told = await gateway.diary.backfills
    let questions = await gateway.simulator.requests.filter {
      $0.path == "/iserver/marketdata/history"
    }
    #expect(try await gateway.end() == nil)
    #expect(told.map(\.state) == [.pending, .done])
    #expect(questions.count == 2)
  }

  @Test func whatSomebodyWantsFilledIsAskedForBesides() async throws {
    let (gateway, events) = try await gateway([try .marketData(conid: 265_598)], [])
    let end = gateway.loop.timestamp().realtime - 3_600_000_000_000
    let stretches = [
      Backfill(gap: .named("RUN-7"), conid: 272_093, range: end - 120_000_000_000..<end),
      Backfill(gap: .named("RUN-8"), conid: 4_242_424, range: end - 120_000_000_000..<end),
    ]
    let stream = gateway.stream
    let asking = Task(executorPreference: gateway.loop) { await stream.fill(stretches) }
    await gateway.pass(200)
    await asking.value
    let told = await gateway.diary.backfills
    #expect(try await gateway.end() == nil)
    #expect(told.map(\.backfill.gap) == [.named("RUN-7"), .named("RUN-8")])
    #expect(told.map(\.state) == [.done, .unavailable])
    let seen = try await take(events)
    #expect(seen.answers.map(\.gap) == [.named("RUN-7")])
    #expect(seen.bars.allSatisfy { $0.conid == 272_093 })
  }
}
