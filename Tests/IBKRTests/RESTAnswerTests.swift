// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import IBKR

/// What an answer by REST is as an event: the answer as it came, typed like the feed's messages.
@Suite struct RESTAnswerTests {
  private func message(_ answer: String, _ kind: FrameKind) throws -> Message {
    var intake = Intake()
    let orders = SubscriptionKey(topic: .orders, target: "", conid: nil, number: 3)
    let trades = SubscriptionKey(topic: .trades, target: "", conid: nil, number: 4)
    intake.router.add(orders)
    intake.router.add(trades)
    intake.add(answer: Array(answer.utf8), as: kind, realtime: 5, monotonic: 6)
    guard case .message(let message)? = intake.builder.take()?.first else {
      throw IbkrError(.closed, "no message")
    }
    return message
  }

  @Test func ordersAreThoseOfTheFeed() throws {
    let text = #"""
      {"orders":[{"acct":"U1","conidex":"265598","conid":265598,"orderId":912091175,
      "status":"Submitted","order_ccp_status":"Submitted","price":"1.00","timeInForce":"CLOSE",
      "remainingQuantity":1.0,"side":"BUY"},{"orderId":2,"status":"Filled","price":""}],
      "snapshot":true}
      """#
    let message = try message(text, .poll)
    #expect(message.kind == .poll && message.kind.isREST)
    #expect(message.topic == .orders && message.direction == .inbound && message.isUTF8)
    #expect(message.record.subscription == 3)
    #expect(message.text == text)
    let orders = try #require(message.orders)
    #expect(orders.updates.map(\.orderID) == [912_091_175, 2])
    #expect(orders.updates.map(\.status) == [.submitted, .filled])
    #expect(orders.updates[0].timeInForce == "DAY" && orders.updates[1].price == nil)
    guard case .orders = message.content else {
      Issue.record("not an order")
      return
    }
    #expect(message.trades == nil)
  }

  @Test func executionsAreThoseOfTheFeed() throws {
    let text = #"[{"execution_id":"0001390e.69f21453.01.01","side":"B","price":"248.60"}]"#
    let message = try message(text, .resync)
    #expect(message.topic == .trades && message.record.subscription == 4)
    let execution = try #require(message.trades?.executions.first)
    #expect(execution.id == "0001390e.69f21453.01.01" && execution.side == .buy)
    #expect(execution.price?.description == "248.60")
    #expect(message.orders == nil)
  }

  @Test(arguments: ["[]", #"{"orders":[],"snapshot":true}"#])
  func thatThereIsNothingIsSaidToo(_ text: String) throws {
    let message = try message(text, .resync)
    #expect(message.trades?.executions.isEmpty ?? message.orders?.updates.isEmpty == true)
  }

  @Test func whoWantsTheFeedGetsThem() throws {
    var intake = Intake()
    let key = SubscriptionKey(topic: .orders, target: "", conid: nil, number: 1)
    intake.router.add(key)
    intake.add(answer: Array(#"{"orders":[]}"#.utf8), as: .resync, realtime: 5, monotonic: 6)
    let taken = intake.builder.take()
    let batch = try #require(taken)
    #expect(EventFilter.subscription(key).apply(to: batch)?.count == 1)
    #expect(EventFilter.inbound.apply(to: batch)?.count == 1)
    #expect(EventFilter.messages([.orders]).apply(to: batch)?.count == 1)
    #expect(EventFilter.messages([.trades]).apply(to: batch) == nil)
    #expect(EventFilter.lifecycle.apply(to: batch) == nil)
  }
}
