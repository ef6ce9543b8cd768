// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

@Suite(.timeLimit(.minutes(5))) struct StateBoardTests {
  private let key = SubscriptionKey(topic: .marketData, target: "1", conid: 1, number: 1)

  private func note(_ events: OwnEvent..., on board: StateBoard) {
    var builder = EventBatchBuilder()
    for event in events { builder.append(event, realtime: 1, monotonic: 1) }
    if let batch = builder.take() { board.note(batch) }
  }

  private func all<Value>(_ values: AsyncStream<Value>) async -> [Value] {
    var seen: [Value] = []
    for await value in values { seen.append(value) }
    return seen
  }

  @Test func anObserverBeginsWithTheStateAsItIs() async {
    let board = StateBoard()
    note(.connection(.connecting(attempt: 1)), .connection(.open), on: board)
    var states = board.connection.values().makeAsyncIterator()
    #expect(await states.next() == .open)
    note(.connection(.ready), on: board)
    #expect(await states.next() == .ready)
    note(.connection(.closed), on: board)
    #expect(await states.next() == .closed)
    #expect(await states.next() == nil)
  }

  @Test func aSlowObserverSeesTheNewestState() async {
    let board = StateBoard()
    let states = board.connection.values()
    note(.connection(.connecting(attempt: 1)), .connection(.open), on: board)
    note(.connection(.ready), .connection(.closed), on: board)
    #expect(await all(states) == [.closed])
    // After the end there is still something to say.
    #expect(await all(board.connection.values()) == [.closed])
  }

  @Test func aSubscriptionsStatesEndWithIt() async {
    let board = StateBoard()
    #expect(board.subscription(key) == nil)
    note(.subscription(key, .pending), on: board)
    var states = board.subscription(key)?.values().makeAsyncIterator()
    #expect(await states?.next() == .pending)
    note(.subscription(key, .active), on: board)
    #expect(await states?.next() == .active)
    note(.subscription(key, .ended), on: board)
    #expect(await states?.next() == .ended)
    #expect(await states?.next() == nil)
    #expect(board.subscription(key) == nil)
  }

  @Test func everythingEndsWithTheRun() async {
    let board = StateBoard()
    var session = SessionState()
    session.authenticated = true
    note(.subscription(key, .active), .session(session), on: board)
    let states = (board.subscription(key)?.values(), board.session.values())
    note(.connection(.closed), on: board)
    #expect(await all(states.0 ?? AsyncStream { $0.finish() }) == [.active])
    #expect(await all(states.1) == [session])
  }

  @Test func whoLeavesIsForgotten() async {
    let board = StateBoard()
    note(.connection(.open), on: board)
    _ = board.connection.values()
    #expect(board.connection.observerCount == 0)
    for await _ in board.connection.values() { break }
    #expect(board.connection.observerCount == 0)
    let task = Task { [latch = board.connection] in await all(latch.values()) }
    while board.connection.observerCount == 0 { await Task.yield() }
    task.cancel()
    _ = await task.value
    #expect(board.connection.observerCount == 0)
  }
}
