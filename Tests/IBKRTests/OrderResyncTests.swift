// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import Testing

@testable import IBKR

/// Orders and executions against the simulated gateway: nothing is missed, and nothing counts twice.
@Suite(.timeLimit(.minutes(5))) struct OrderResyncTests {
  /// What a bot sees.
  private struct Seen {
    /// What came, in order: the topic, how it came, and the executions that are new.
    var events: [String] = []
    var executions: [String] = []
    var orders: Set<Int> = []
  }

  /// Takes everything that the stream has told.
  private func take(_ events: EventStream) async throws -> Seen {
    var seen = Seen()
    for try await event in events {
      switch event {
      case .message(let message):
        if let orders = message.orders {
          seen.events.append("sor \(message.kind) \(orders.updates.count)")
          seen.orders.formUnion(orders.updates.compactMap(\.orderID))
        }
        if let trades = message.trades {
          let new = trades.executions.filter { !$0.isDuplicate }.compactMap(\.id)
          seen.executions += new
          seen.events.append("str \(message.kind) \(new.count) of \(trades.executions.count)")
          #expect(message.isDuplicate == (new.isEmpty && !trades.executions.isEmpty))
        }
      case .gap(let gap): seen.events.append("gap \(gap.phase)")
      default: continue
      }
    }
    return seen
  }

  private func gateway(
    orders: Bool = true,
    executions: Bool = true,
    configure: (inout StreamConfiguration) -> Void = { _ in }
  ) async throws -> (VirtualGateway, EventStream) {
    let gateway = try await VirtualGateway(configure: configure)
    let events = gateway.stream.events(matching: .messages([.orders, .trades]))
    if orders { try await gateway.stream.want(.orders()) }
    if executions { try await gateway.stream.want(.trades()) }
    return (gateway, events)
  }

  @Test func ordersAreAskedForBeforeTheFeed() async throws {
    let (gateway, events) = try await gateway(executions: false)
    await gateway.pass(4)
    // The first answer says that the server has not looked.
    #expect(await gateway.diary.commands.isEmpty)
    await gateway.pass(6)
    #expect(await gateway.diary.commands == ["sor+{}"])
    #expect(await gateway.diary.lifecycle.last == " requested(attempt: 1)")
    await gateway.pass(20)
    #expect(await gateway.diary.lifecycle.last == " active")
    await gateway.simulator.fillOrder(conid: 265598)
    await gateway.pass(60)
    #expect(try await gateway.end() == nil)
    // The feed's word, and the next poll's, which differs from the one before.
    #expect(try await take(events).events == ["sor poll 0", "sor binary 1", "sor poll 1"])
    #expect(await gateway.diary.isComplete)
  }

  @Test func whatASilentFeedDoesNotTellIsFoundByPolling() async throws {
    let (gateway, events) = try await gateway(executions: false)
    await gateway.pass(20)
    await gateway.simulator.fillOrder(conid: 265598, isTold: false)
    await gateway.pass(40)
    #expect(try await gateway.end() == nil)
    let seen = try await take(events)
    #expect(seen.events == ["sor poll 0", "sor poll 1"])
    #expect(seen.orders == [912_091_001])
  }

  @Test func afterAGapBothAreReSyncedAndNothingCountsTwice() async throws {
    let (gateway, events) = try await gateway()
    await gateway.pass(20)
    await gateway.simulator.fillOrder(conid: 265598)
    await gateway.pass(5)
    await gateway.simulator.inject(.refuseConnections(for: .seconds(10)))
    await gateway.pass(5)
    await gateway.simulator.fillOrder(conid: 272093, isTold: false)
    await gateway.pass(60)
    #expect(try await gateway.end() == nil)
    let seen = try await take(events)
    #expect(seen.executions == ["0001390e.69f21453.1.01", "0001390e.69f21453.2.01"])
    #expect(seen.orders == [912_091_001, 912_091_002])
    #expect(seen.events.contains("sor resync 2"))
    #expect(seen.events.contains("str resync 1 of 2"))
    // Its place is behind the beginning of the gap, which it ends.
    let began = try #require(seen.events.firstIndex(of: "gap began"))
    let resync = try #require(seen.events.firstIndex(of: "sor resync 2"))
    let ended = try #require(seen.events.lastIndex(of: "gap ended"))
    #expect(began < resync && resync < ended)
    #expect(await gateway.diary.isComplete)
  }

  @Test func aFeedWithoutAnythingToSayHoldsNoGapOpen() async throws {
    let (gateway, events) = try await gateway(executions: false) { $0.ordersPollInterval = nil }
    await gateway.pass(30)
    await gateway.simulator.inject(.dropConnections)
    await gateway.pass(60)
    let gaps = await gateway.diary.gaps
    #expect(gaps.map(\.phase) == [.began, .ended])
    #expect(gaps.last?.subscriptions.map(\.topic) == [.orders])
    #expect(try await gateway.end() == nil)
    #expect(
      try await take(events).events == ["sor poll 0", "gap began", "sor resync 0", "gap ended"]
    )
  }

  @Test func whoIteratesTheFeedGetsTheAnswersToo() async throws {
    let gateway = try await VirtualGateway()
    let orders = try await gateway.stream.subscribe(.orders())
    let taken = Task(executorPreference: gateway.loop) {
      var kinds: [FrameKind] = []
      for try await update in orders {
        kinds.append(update.message.kind)
        if kinds.count == 2 { break }
      }
      return kinds
    }
    await gateway.pass(20)
    await gateway.simulator.fillOrder(conid: 265598)
    await gateway.pass(5)
    #expect(try await taken.value == [.poll, .binary])
    #expect(try await gateway.end() == nil)
  }

  @Test func theClientAsksByItself() async throws {
    let gateway = try await VirtualGateway()
    await gateway.simulator.fillOrder(conid: 265598, quantity: 3, price: "271.50")
    let client = gateway.stream.ibkrClient
    let task = Task(executorPreference: gateway.loop) {
      let first = try await client.orders()
      let second = try await client.orders()
      let forced = try await client.orders(forced: true)
      return ([first, second, forced], try await client.executions(days: 7))
    }
    await gateway.pass(30)
    let (lists, executions) = try await task.value
    #expect(lists.map(\.isSnapshot) == [false, true, false])
    #expect(lists.map(\.orders.count) == [0, 1, 0])
    #expect(lists[1].orders.first?.status == .filled)
    #expect(executions.map(\.id) == ["0001390e.69f21453.1.01"])
    let refused = Task(executorPreference: gateway.loop) { try await client.executions(days: 8) }
    await gateway.pass(1)
    await #expect(throws: IbkrError.self) { try await refused.value }
    _ = try await gateway.end()
  }
}
