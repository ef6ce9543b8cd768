// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import JSON
import Testing
import Transport

@testable import IBKR

/// Feeds of the account, from the command to the typed value and to the end.
@Suite(.timeLimit(.minutes(5))) struct TypedStreamTests {
  @Test func everyFeedGivesItsOwnType() async throws {
    let gateway = try await VirtualGateway()
    let account = Secret("DU1234567")
    let stream = gateway.stream
    let summaries = try await stream.subscribe(.accountSummary(account: account))
    let ledgers = try await stream.subscribe(.accountLedger(account: account))
    let profits = try await stream.subscribe(.profitAndLoss())
    let trades = try await stream.subscribe(.trades(realtimeOnly: true))
    let taken = Task(executorPreference: gateway.loop) {
      var summary = summaries.makeAsyncIterator()
      var ledger = ledgers.makeAsyncIterator()
      var profit = profits.makeAsyncIterator()
      var trade = trades.makeAsyncIterator()
      return (
        try await summary.next()?["ExcessLiquidity-S"]?.amount,
        try await ledger.next()?["BASE"]?.cash, try await profit.next()?.entries.first,
        try await trade.next()?.executions.count
      )
    }
    await gateway.pass(5)
    let (excess, cash, entry, executions) = try await taken.value
    #expect(excess == Decimal("1005353.88"))
    #expect(cash == Decimal("976920.88"))
    #expect(entry?.account == account)
    #expect(entry?.daily == Decimal("-58.28"))
    #expect(executions == 0)
    await gateway.pass(1)
    #expect(await stream.subscriptions.isEmpty)
    let commands = await gateway.diary.commands
    #expect(commands.contains(#"str+{"realtimeUpdatesOnly":true}"#))
    #expect(Set(commands.suffix(4)) == ["usd+DU1234567+{}", "uld+DU1234567+{}", "upl+{}", "utr"])
    #expect(await gateway.diary.isComplete)
    _ = try await gateway.end()
  }

  @Test func oneTargetHasOneSetOfParameters() async throws {
    let gateway = try await VirtualGateway()
    let account = Secret("DU1234567")
    try await gateway.stream.want(.accountLedger(account: account))
    try await gateway.stream.want(.accountLedger(account: account))
    let error = await #expect(throws: IbkrError.self) {
      try await gateway.stream.want(.accountLedger(account: account, keys: ["LedgerListUSD"]))
    }
    #expect(error?.code == .invalidSubscription)
    #expect(error.map { "\($0)".contains("DU1234567") } == false)
    // The fields of quotes are added up by the server.
    try await gateway.stream.want(.marketData(conid: 265598, fields: [.bidPrice]))
    try await gateway.stream.want(.marketData(conid: 265598, fields: [.askPrice]))
    #expect(await gateway.stream.subscriptions.count == 2)
    _ = try await gateway.end()
  }

  @Test func historyIsEndedByTheNumberOfItsRequest() {
    var reconciler = SubscriptionReconciler()
    var generator = SystemRandomNumberGenerator()
    let request = HistoryFeed(
      conid: 1,
      exchange: nil,
      period: nil,
      bar: nil,
      outsideRegularHours: nil,
      source: nil,
      values: []
    ).request
    let key = reconciler.want(request).key
    reconciler.ready()
    #expect(
      reconciler.act(at: 0, using: &generator).first == .send("smh+1+{}", awaiting: key.number)
    )
    #expect(reconciler.farewell().isEmpty)
    reconciler.named(key.number, "3+4")
    #expect(reconciler.farewell().isEmpty)
    reconciler.named(key.number, "341115")
    #expect(reconciler.farewell() == ["umh+341115"])
    // The name is the connection's.
    _ = reconciler.lost()
    reconciler.ready()
    _ = reconciler.act(at: 1_000_000_000, using: &generator)
    #expect(reconciler.farewell().isEmpty)
  }
}
