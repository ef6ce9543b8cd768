// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

/// What the server says to a subscription and to its end, and what is another's.
@Suite struct AnswerTests {
  private func key(_ topic: Topic, _ target: String, conid: Int? = nil) -> SubscriptionKey {
    SubscriptionKey(topic: topic, target: target, conid: conid, number: 1)
  }

  private func confirms(_ key: SubscriptionKey, _ text: String) throws -> Bool {
    try Array(text.utf8).withUnsafeBytes { raw in
      key.confirms(try #require(MessageHead(raw)), raw)
    }
  }

  private func ends(_ key: SubscriptionKey, _ text: String, _ serverID: String?) throws -> Bool {
    try Array(text.utf8).withUnsafeBytes { raw in
      key.endIsConfirmed(by: try #require(MessageHead(raw)), raw, serverID: serverID)
    }
  }

  @Test func confirmsWhatNamesTheSubscription() throws {
    let smart = key(.marketData, "265598", conid: 265598)
    let arca = key(.marketData, "265598@ARCA", conid: 265598)
    let spread = key(.marketData, "0;;;1/1,2/-1")
    let ladder = key(.priceLadder, "DU1+265598+ISLAND", conid: 265598)
    let cases: [(SubscriptionKey, String, Bool)] = [
      (smart, #"{"topic":"smd+265598","conid":265598}"#, true),
      (smart, #"{"topic":"smd+265598"}"#, true),
      (smart, #"{"topic":"smd+8314","conid":8314}"#, false),
      (smart, #"{"topic":"smd+265598","conidEx":"265598@ARCA","conid":265598}"#, false),
      (smart, #"{"topic":"smd+265598@ARCA","conid":265598}"#, false),
      (smart, #"{"topic":"smd+265598","error":"no"}"#, false),
      // With an exchange it is not known which topic comes back.
      (arca, #"{"topic":"smd+265598","conidEx":"265598@ARCA","conid":265598}"#, true),
      (arca, #"{"topic":"smd+265598@ARCA"}"#, true),
      (arca, #"{"topic":"smd+265598","conid":265598}"#, true),
      (arca, #"{"topic":"smd+265598","conidEx":"265598","conid":265598}"#, false),
      (arca, #"{"topic":"smd+265598@NYSE","conid":265598}"#, false),
      (spread, #"{"topic":"smd+0;;;1/1,2/-1","conid":0}"#, true),
      (spread, #"{"topic":"smd+0","conidEx":"0;;;1\/1,2\/-1","conid":0}"#, true),
      (spread, #"{"topic":"smd+0;;;1/1,3/-1","conid":0}"#, false),
      (key(.history, "1", conid: 1), #"{"serverId":"5","data":[],"topic":"smh+1"}"#, true),
      (key(.history, "1", conid: 1), #"{"serverId":"5","data":[],"topic":"smh+2"}"#, false),
      // Filtered: no row has the account.
      (key(.accountSummary, "DU1"), #"{"result":[{"key":"Cushion"}],"topic":"ssd+DU1"}"#, true),
      (key(.accountSummary, "DU1"), #"{"result":[],"topic":"ssd+DU2"}"#, false),
      (key(.accountSummary, "DU1"), #"{"result":[],"topic":"sld+DU1"}"#, false),
      (key(.accountLedger, "DU1"), #"{"result":[],"topic":"sld+DU1"}"#, true),
      (ladder, #"{"topic":"sbd+DU1+265598+ISLAND","data":[]}"#, true),
      (ladder, #"{"topic":"sbd+DU1+265598","data":[]}"#, false),
      (key(.orders, ""), #"{"topic":"sor","args":[]}"#, true),
      (key(.trades, ""), #"{"topic":"str","args":[]}"#, true),
      (key(.trades, ""), #"{"topic":"sor","args":[]}"#, false),
      (key(.profitAndLoss, ""), #"{"topic":"spl","args":{}}"#, true),
    ]
    for (key, text, isConfirmed) in cases {
      #expect(try confirms(key, text) == isConfirmed, "\(text)")
    }
  }

  @Test func knowsTheEndOfASubscription() throws {
    let history = key(.history, "1", conid: 1)
    #expect(try ends(history, #"{"message":"Unsubscribed 341115"}"#, "341115"))
    #expect(try !ends(history, #"{"message":"Unsubscribed 341115"}"#, "7"))
    #expect(try !ends(history, #"{"message":"Unsubscribed 341115"}"#, nil))
    let summary = key(.accountSummary, "DU1")
    #expect(try ends(summary, #"{"result":"unsubscribed from summary"}"#, nil))
    #expect(try !ends(summary, #"{"result":"unsubscribed from ledger"}"#, nil))
    let ledger = key(.accountLedger, "DU1")
    #expect(try ends(ledger, #"{"result":"unsubscribed from ledger"}"#, nil))
    #expect(try !ends(key(.orders, ""), #"{"result":"unsubscribed from ledger"}"#, nil))
  }

  @Test func knowsHowEachFeedAnswers() {
    #expect(FeedManners(.orders)?.answer == .perhapsNone)
    #expect(FeedManners(.trades)?.answer == .atOnce)
    #expect(FeedManners(.history)?.answer == .once)
    #expect(FeedManners(.history)?.farewell == .byRequest)
    #expect(FeedManners(.marketData)?.answer == .data)
    #expect(FeedManners(.accountSummary)?.farewell == .byFeed)
    #expect(FeedManners(.system) == nil)
  }

  @Test func routesEveryFeedToItsSubscription() throws {
    var router = MessageRouter()
    let keys = [
      SubscriptionKey(topic: .orders, target: "", conid: nil, number: 1),
      SubscriptionKey(topic: .accountSummary, target: "DU1", conid: nil, number: 2),
      SubscriptionKey(topic: .accountSummary, target: "DU2", conid: nil, number: 3),
      SubscriptionKey(topic: .history, target: "1", conid: 1, number: 4),
      SubscriptionKey(topic: .marketData, target: "0;;;1/1,2/-1", conid: nil, number: 5),
      SubscriptionKey(topic: .marketData, target: "1", conid: 1, number: 6),
    ]
    for key in keys {
      router.add(key)
      router.awaitAnswer(to: key.number)
    }
    let texts: [(String, UInt32)] = [
      (#"{"topic":"sor","args":[]}"#, 1), (#"{"topic":"ssd+DU1","result":[]}"#, 2),
      (#"{"topic":"ssd+DU2","result":[]}"#, 3), (#"{"topic":"smh+1","data":[]}"#, 4),
      (#"{"topic":"smd+0;;;1/1,2/-1","conid":0,"31":"1"}"#, 5), (#"{"topic":"smd+1","31":"1"}"#, 6),
    ]
    func route(_ text: String) -> (EventRecord, MessageRouter.Notice) {
      var record = EventRecord(seq: 1, realtime: 0, monotonic: 0, sort: .message)
      let notice = Array(text.utf8).withUnsafeBytes { router.route($0, into: &record) }
      return (record, notice)
    }
    for (text, number) in texts {
      let (record, notice) = route(text)
      #expect(record.subscription == number)
      #expect(notice == .answered(number, isImage: true))
      // Once: nobody waits for the second.
      #expect(route(text).1 == .none)
    }
    #expect(route(#"{"topic":"ssd+DU3","result":[]}"#).0.subscription == 0)
    #expect(route(#"{"topic":"str","args":[]}"#).0.subscription == 0)
    router.remove(keys[1])
    #expect(route(#"{"topic":"ssd+DU1","result":[]}"#).0.subscription == 0)
    let (record, notice) = route(#"{"topic":"ssd+DU2","error":"no"}"#)
    #expect(record.subscription == 3)
    #expect(notice == .control)
  }
}
