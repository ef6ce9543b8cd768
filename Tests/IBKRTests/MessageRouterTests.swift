// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

@Suite struct MessageRouterTests {
  private func key(_ number: UInt32, _ target: String, conid: Int) -> SubscriptionKey {
    SubscriptionKey(topic: .marketData, target: target, conid: conid, number: number)
  }

  private func route(
    _ text: String,
    with router: inout MessageRouter
  ) -> (record: EventRecord, notice: MessageRouter.Notice) {
    var record = EventRecord(seq: 1, realtime: 0, monotonic: 0, sort: .message)
    let notice = Array(text.utf8).withUnsafeBytes { router.route($0, into: &record) }
    return (record, notice)
  }

  @Test func findsTheSubscription() {
    var router = MessageRouter()
    router.add(key(1, "265598", conid: 265598))
    router.add(key(2, "8314", conid: 8314))
    router.add(key(3, "8314@NYSE", conid: 8314))
    let cases: [(text: String, number: UInt32)] = [
      (#"{"topic":"smd+265598","conid":265598,"31":"1"}"#, 1),
      (#"{"topic":"smd+8314","conid":8314,"31":"1"}"#, 2),
      (#"{"topic":"smd+8314@NYSE","conid":8314,"31":"1"}"#, 3),
      (#"{"conidEx":"8314@NYSE","topic":"smd+8314","conid":8314,"31":"1"}"#, 3),
      (#"{"topic":"smd+8314@BATS","31":"1"}"#, 2),
      (#"{"topic":"smd+99","conid":99,"31":"1"}"#, 0),
    ]
    for (text, number) in cases {
      #expect(route(text, with: &router).record.subscription == number, "\(text)")
    }
    router.remove(key(2, "8314", conid: 8314))
    #expect(route(cases[1].text, with: &router).record.subscription == 3)
    router.remove(key(3, "8314@NYSE", conid: 8314))
    #expect(route(cases[1].text, with: &router).record.subscription == 0)
  }

  @Test func onlyOtherValuesAreNews() {
    var router = MessageRouter()
    router.add(key(1, "1", conid: 1))
    let cases: [(fields: String, isNews: Bool)] = [
      (#""6509":"RB""#, false), (#""31":"1.0","84":"0.9""#, true),
      (#""31":"1.0","84":"0.9","6509":"DB""#, false), (#""84":"0.8""#, true),
      (#""31":"1.0","84":"0.8""#, false), (#""31":"C1.0""#, true), (#""86":"1.1""#, true),
      (#""6508":"&id=1","6119":"q2","55":"X""#, false),
    ]
    for (number, (fields, isNews)) in cases.enumerated() {
      let before = router.life(of: 1).news
      // Every message is of a time of its own, as published.
      let text = #"{"topic":"smd+1","conid":1,"server_id":"q1","_updated":\#(number),\#(fields)}"#
      _ = route(text, with: &router)
      #expect(router.life(of: 1).news == before + (isNews ? 1 : 0), "\(fields)")
    }
    #expect(router.isNews([(31, "C1.0"), (84, "0.8")], to: 1) == false)
    #expect(router.isNews([(31, "C1.0"), (84, "0.7")], to: 1) == true)
    // What was never sent cannot be compared.
    #expect(router.isNews([(70, "2.0")], to: 1) == nil)
    #expect(router.isNews([(70, "2.0"), (86, "1.1")], to: 1) == false)
    #expect(router.isNews([(31, "1.0")], to: 2) == nil)
  }

  @Test func pricesBehindAnAvailabilityAreAnAnswerToo() {
    var router = MessageRouter()
    router.add(key(1, "1", conid: 1))
    router.awaitAnswer(to: 1)
    let start = #"{"topic":"smd+1","conid":1,"server_id":"q1","_updated":5,"6509":"ZB""#
    #expect(route(start + "}", with: &router).notice == .answered(1, isImage: true))
    #expect(!router.life(of: 1).hasValue)
    #expect(
      route(start + #","31":"1.0"}"#, with: &router).notice == .answered(1, isImage: true)
    )
    #expect(router.life(of: 1).hasValue)
    #expect(route(start + #","31":"1.0"}"#, with: &router).notice == .none)
  }

  @Test func tellsOnlyWhatSomebodyWaitsFor() {
    var router = MessageRouter()
    router.add(key(1, "1", conid: 1))
    router.awaitAnswer(to: 1)
    let image = #"{"topic":"smd+1","conid":1,"server_id":"q1","_updated":5,"31":"1.0"}"#
    let first = route(image, with: &router)
    #expect(first.notice == .answered(1, isImage: true))
    #expect(first.record.flags.contains(.snapshot))
    let second = route(image, with: &router)
    #expect(second.notice == .none)
    #expect(second.record.flags.contains(.snapshot))
    let tick = #"{"topic":"smd+1","conid":1,"server_id":"q1","_updated":6,"31":"1.1"}"#
    let third = route(tick, with: &router)
    #expect(third.notice == .none)
    #expect(!third.record.flags.contains(.snapshot))
    router.awaitAnswer(to: 1)
    #expect(route(tick, with: &router).notice == .answered(1, isImage: false))
    router.reset()
    #expect(route(tick, with: &router).record.flags.contains(.snapshot))
  }

  @Test(arguments: [
    (#"{"topic":"system","hb":1}"#, MessageRouter.Notice.control, Topic.system),
    (#"{"topic":"sts","args":{}}"#, .control, .status),
    (#"{"message":"waiting for session"}"#, .control, .waitingForSession),
    (#"{"topic":"smd+1","error":"no"}"#, .control, .marketData),
    (#"{"error":"Topic unknown 'abc'","code":1}"#, .control, .error),
    (#"{"topic":"tic","alive":true}"#, .none, .tic),
    (#"{"topic":"ntf","args":[]}"#, .none, .notification),
    ("not JSON", .none, .unrecognised),
    (#"{"what":"ever"}"#, .none, .unrecognised),
  ])
  private func tellsWhatIsAboutTheSession(
    _ text: String,
    _ notice: MessageRouter.Notice,
    _ topic: Topic
  ) {
    var router = MessageRouter()
    let routed = route(text, with: &router)
    #expect(routed.notice == notice)
    #expect(routed.record.topic == topic)
    #expect(router.unrecognised == (topic == .unrecognised ? 1 : 0))
  }

  @Test func anAnswerOfHistoryBelongsToTheRequestThatWaits() {
    var router = MessageRouter()
    for number in UInt32(1)...2 {
      router.add(SubscriptionKey(topic: .history, target: "1", conid: 1, number: number))
    }
    let text = #"{"serverId":"341115","symbol":"A","data":[],"topic":"smh+1"}"#
    router.awaitAnswer(to: 2)
    let first = route(text, with: &router)
    #expect(first.notice == .answered(2, isImage: true) && first.record.subscription == 2)
    #expect(route(text, with: &router).notice == .unclaimed)
    router.awaitAnswer(to: 1)
    #expect(route(text, with: &router).record.subscription == 1)
    // Of an instrument that nobody has asked for, or asks for any longer.
    let stranger = #"{"serverId":"7","data":[],"topic":"smh+9"}"#
    #expect(route(stranger, with: &router).notice == .unclaimed)
  }

  @Test func remembersWhereTheTopicStands() {
    var router = MessageRouter()
    let text = #"{"conid":1,"topic":"smd+1@ARCA"}"#
    let record = route(text, with: &router).record
    let start = text.utf8.index(text.startIndex, offsetBy: Int(record.topicOffset))
    let end = text.utf8.index(start, offsetBy: Int(record.topicLength))
    #expect(text[start..<end] == "smd+1@ARCA")
  }
}
