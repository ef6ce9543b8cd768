// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import GatewaySimulator

@Suite struct SocketSessionTests {
  static let subscription = #"smd+265598+{"fields":["31","84","86","6509","83"]}"#

  private func greeted(
    scenario: Scenario = .steady,
    _ change: (inout GatewayState.Options) -> Void = { _ in }
  ) -> Desk {
    var desk = Desk(scenario: scenario, change)
    _ = desk.open()
    desk.pass(milliseconds: 300)
    _ = desk.take()
    return desk
  }

  private func parse(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8))
  }

  private func keys(_ text: String) throws -> [String] {
    try #require(try parse(text).members).map(\.key)
  }

  @Test func greetsInTheRecordedOrderWithinAQuarterOfASecond() throws {
    var desk = Desk()
    _ = desk.open()
    desk.pass(milliseconds: 250)
    let messages = desk.take()
    #expect(messages.count == 3)
    #expect(try parse(messages[0])["topic"]?.string == "system")
    #expect(try parse(messages[0])["success"]?.string?.isEmpty == false)
    #expect(try parse(messages[1])["topic"]?.string == "act")
    #expect(try parse(messages[1])["args"]?["accounts"]?[0]?.string == "DU1234567")
    #expect(try parse(messages[2])["topic"]?.string == "sts")
    #expect(try parse(messages[2])["args"]?["authenticated"]?.bool == true)
  }

  @Test func losesWhatComesBeforeItsOwnConnection() {
    var desk = Desk()
    _ = desk.open()
    desk.say(Self.subscription)
    desk.say("tic")
    desk.say("xyz")
    desk.pass(milliseconds: 9_000)
    #expect(desk.take().count == 3)
  }

  @Test func beatsEveryTenSeconds() throws {
    var desk = greeted()
    desk.pass(milliseconds: 60_000)
    let beats = try desk.take().map { try #require(try parse($0)["hb"]?.int) }
    #expect(beats.count == 6)
    #expect(zip(beats, beats.dropFirst()).allSatisfy { $1 - $0 == 10_000 })
  }

  @Test func answersARequestForBarsOnce() throws {
    var desk = greeted()
    desk.say(#"smh+265598+{"period":"2h","bar":"5min","format":"%h/%l"}"#)
    desk.say(#"smh+265598+{"period":"1d","bar":"1h"}"#)
    desk.pass(milliseconds: 9_000)
    let answers = try desk.take().filter { $0.contains("smh+") }.map(parse)
    #expect(answers.map { $0["data"]?.elements?.count } == [24, 24])
    #expect(answers.map { $0["points"]?.int } == [23, 23])
    #expect(answers.map { $0["barLength"]?.int } == [300, 3_600])
    #expect(answers.allSatisfy { $0["topic"]?.string == "smh+265598" })
    let first = try #require(answers[0]["data"]?[0]?.members?.map(\.key))
    #expect(first == ["h", "l", "t"])
    let bars = try #require(answers[1]["data"]?.elements)
    for (bar, next) in zip(bars, bars.dropFirst()) {
      let high = try #require(bar["h"]?.decimal)
      let low = try #require(bar["l"]?.decimal)
      let open = try #require(bar["o"]?.decimal)
      #expect(low <= open && open <= high)
      #expect(bar["c"]?.decimal == next["o"]?.decimal)
      #expect(next["t"]?.int == bar["t"]?.int.map { $0 + 3_600_000 })
    }
    let id = try #require(answers[1]["serverId"]?.string)
    desk.say("umh+\(id)")
    #expect(desk.take() == [#"{"message":"Unsubscribed \#(id)"}"#])
    desk.say("umh+1")
    #expect(desk.take() == [])
  }

  @Test func sendsALadderAndWhatChangesOfIt() throws {
    var desk = greeted()
    desk.say("sbd+DU1234567+265598")
    desk.say("sbd+DU9+265598")
    desk.pass(milliseconds: 30_000)
    let ladders = try desk.take().filter { $0.contains("sbd+") }.map(parse)
    #expect(ladders.count > 5)
    #expect(ladders.allSatisfy { $0["topic"]?.string == "sbd+DU1234567+265598" })
    let image = try #require(ladders.first?["data"]?.elements)
    #expect(image.compactMap { $0["row"]?.int } == Array(0..<11))
    let focus = image.filter { $0["focus"]?.int == 1 }
    #expect(focus.count == 1 && focus.first?["price"]?.string?.contains(" @ ") == true)
    #expect(image.first?["ask"] != nil && image.first?["bid"] == nil)
    #expect(ladders.contains { $0["data"]?.elements?.count ?? 11 < 11 })
    desk.say("ubd+DU1234567")
    desk.pass(milliseconds: 9_000)
    #expect(desk.take().filter { $0.contains("sbd+") } == [])
  }

  @Test func tellsFiguresAgainUntilTheirEnd() throws {
    var desk = greeted()
    for command in ["spl+{}", "ssd+DU1234567+{}", "sld+DU1234567+{}"] { desk.say(command) }
    desk.pass(milliseconds: 30_000)
    var texts = desk.take()
    #expect(texts.count { $0.contains("spl") } == 31)
    #expect(texts.count { $0.contains("ssd+") } == 11)
    #expect(texts.count { $0.contains("sld+") } == 4)
    for command in ["upl+{}", "usd+DU1234567+{}", "uld+DU1234567+{}"] { desk.say(command) }
    desk.pass(milliseconds: 30_000)
    texts = desk.take().filter { !$0.contains("hb") }
    #expect(
      texts == [
        #"{"result":"unsubscribed from summary"}"#, #"{"result":"unsubscribed from ledger"}"#,
      ]
    )
  }

  @Test func sendsTheFirstImageTwiceInTwoOrders() throws {
    var desk = greeted()
    desk.say(Self.subscription)
    desk.pass(milliseconds: 250)
    let messages = desk.take()
    #expect(messages.count == 2)
    // Both orders as recorded.
    #expect(
      try keys(messages[0]) == [
        "6509", "conidEx", "topic", "conid", "_updated", "6119", "83", "server_id", "84", "31",
        "86",
      ]
    )
    #expect(
      try keys(messages[1]) == [
        "server_id", "conidEx", "conid", "_updated", "6119", "84", "6509", "31", "86", "83",
        "topic",
      ]
    )
    let first = try #require(try parse(messages[0]).members)
    let second = try parse(messages[1])
    #expect(first.allSatisfy { second[$0.key] == $0.value })
    #expect(second["server_id"]?.string == "q0")
    #expect(second["topic"]?.string == "smd+265598")
  }

  @Test func thenSendsOnlyWhatChanged() throws {
    var desk = greeted()
    desk.say(Self.subscription)
    desk.pass(milliseconds: 250)
    var state: [String: JSONValue] = [:]
    for text in desk.take() {
      for member in try #require(try parse(text).members) { state[member.key] = member.value }
    }
    desk.pass(milliseconds: 60_000)
    let updates = desk.take().filter { $0.contains("smd+") }
    #expect((30...120).contains(updates.count))
    let envelope: Set = ["server_id", "conidEx", "conid", "_updated", "6119", "topic"]
    for (index, text) in updates.enumerated() {
      let members = try #require(try parse(text).members)
      let fields = members.filter { !envelope.contains($0.key) }
      #expect(!fields.isEmpty)
      #expect(fields.allSatisfy { state[$0.key] != $0.value })
      #expect(fields.contains { $0.key == "6508" } == (index == 0))
      for field in fields { state[field.key] = field.value }
      let bid = try #require(state["84"]?.decimal)
      let ask = try #require(state["86"]?.decimal)
      #expect(bid < ask)
    }
  }

  @Test func sendsEveryFieldThatIsAskedForAsItsKind() throws {
    var desk = greeted()
    let fields = [
      31, 55, 70, 71, 82, 83, 84, 85, 86, 87, 88, 6004, 6070, 6509, 7051, 7059, 7094, 7219, 7221,
      7295, 7296, 7635, 7741, 7762, 99_999,
    ]
    let list = fields.map { "\"\($0)\"" }.joined(separator: ",")
    desk.say(#"smd+265598+{"fields":[\#(list),"31","x",7]}"#)
    desk.pass(milliseconds: 250)
    let messages = desk.take()
    let image = try parse(try #require(messages.last))
    for field in fields.dropLast() {
      let value = try #require(image["\(field)"], "\(field)")
      if case .number = value { #expect(field == 83) } else { #expect(field != 83) }
    }
    #expect(image["99999"] == nil)
    if case .number? = image["87_raw"] {} else { Issue.record("87_raw is no number") }
    #expect(image["87"]?.string?.hasSuffix("M") == true)
  }

  @Test func sendsAvailabilityFirstWhereThatIsTheWay() throws {
    var desk = greeted()
    desk.say(#"smd+80268543+{"fields":["31","84","86","6509","83"]}"#)
    desk.say(#"smd+38708077+{"fields":["31","84","86","6509","83"]}"#)
    desk.pass(milliseconds: 1_600)
    let late = desk.take().filter { $0.contains("smd+80268543") }
    #expect(
      try keys(late[0]) == [
        "6509", "conidEx", "topic", "conid", "_updated", "6119", "server_id",
      ]
    )
    #expect(try parse(late[1])["6509"]?.string == "RPB")
    #expect(try parse(late[1])["31"] == nil)
    #expect(try parse(late[2])["84"]?.string?.split(separator: ".").last?.count == 3)
    desk.pass(milliseconds: 9_000)
    desk.say(#"smd+38708077+{"fields":["31","84","86","6509","83"]}"#)
    desk.pass(milliseconds: 60_000)
    let frozen = desk.take().filter { $0.contains("smd+38708077") }
    #expect(frozen.count == 3)
    #expect(try parse(frozen[0])["6509"]?.string == "ZB")
    #expect(try parse(frozen[2])["31"]?.string == "C4735.10")
    #expect(try parse(frozen[2])["6508"] != nil)
  }

  @Test(arguments: [8595, 1_234_567])
  func saysThatAnInstrumentHasNoData(conid: Int) throws {
    var desk = greeted()
    desk.say(#"smd+\#(conid)+{"fields":["31","84"]}"#)
    desk.pass(milliseconds: 5_000)
    let messages = desk.take()
    #expect(messages.count == 2)
    #expect(
      try keys(messages[0]) == [
        "55", "conidEx", "topic", "conid", "_updated", "6119", "server_id", "31",
      ]
    )
    #expect(try parse(messages[0])["31"]?.string == "N/A")
    #expect(try parse(messages[1])["6509"] == nil)
  }

  @Test func stopsAtUnsubscribeAndStartsAgainWithANewServerID() throws {
    var desk = greeted()
    desk.say(Self.subscription)
    desk.pass(milliseconds: 3_000)
    _ = desk.take()
    desk.say("umd+265598+{}")
    desk.pass(milliseconds: 8_000)
    #expect(desk.take().allSatisfy { $0.contains("hb") })
    desk.say(Self.subscription)
    desk.pass(milliseconds: 250)
    let messages = desk.take()
    #expect(try parse(try #require(messages.last))["server_id"]?.string == "q1")
  }

  @Test func aRenewalAddsFieldsAndGivesAnImage() throws {
    var desk = greeted()
    desk.say(#"smd+265598+{"fields":["31"]}"#)
    desk.pass(milliseconds: 250)
    desk.say(#"smd+265598+{"fields":["84"]}"#)
    desk.pass(milliseconds: 220)
    let messages = desk.take()
    let image = try parse(try #require(messages.last))
    #expect(image["31"] != nil)
    #expect(image["84"] != nil)
    #expect(image["server_id"]?.string == "q1")
  }

  @Test func keepsTheExchangeOfATarget() throws {
    var desk = greeted()
    desk.say(#"smd+265598@ARCA+{"fields":["31"]}"#)
    desk.pass(milliseconds: 250)
    let messages = desk.take()
    let image = try parse(try #require(messages.last))
    #expect(image["conidEx"]?.string == "265598@ARCA")
    #expect(image["conid"]?.int == 265598)
    desk.say("umd+265598@ARCA+{}")
    desk.pass(milliseconds: 5_000)
    #expect(desk.take().isEmpty)
  }

  @Test(arguments: [1, 4])
  func answersATicAsOftenAsItIsToldTo(count: Int) throws {
    var desk = greeted { $0.ticAnswers = count }
    desk.say("tic")
    let answers = desk.take()
    #expect(answers.count == count)
    #expect(Set(answers).count == 1)
    let answer = try parse(try #require(answers.first))
    #expect(answer["alive"]?.bool == true)
    #expect(answer["id"]?.string == desk.gateway.state.login.session)
    #expect(answer["id"]?.string?.utf8.count == 32)
  }

  @Test(arguments: [
    ("xyz", "xyz"), ("null", "nul"), (#"{"session":"abc"}"#, #"{\"s"#), ("a\"b", #"a\"b"#),
    ("é\t€", #"é\u0009€"#), ("", ""),
  ])
  func quotesTheStartOfAnUnknownTopic(text: String, quoted: String) {
    var desk = greeted()
    desk.say(text)
    #expect(desk.take() == [#"{"error":"Topic unknown '\#(quoted)'","code":1}"#])
  }

  @Test(arguments: [
    "smd", "smd+", "smd+x+{}", "smd+265598", "smd+265598+{}", "smd+265598+{\"fields\":7}",
    "smd+-1+{\"fields\":[]}", "smh+x+{}", "sbd+U1", "sor+{}", "uor+{}", "umd", "umd+7+{}",
  ])
  func isSilentWhereTheGatewayIs(text: String) {
    var desk = greeted()
    desk.say(text)
    desk.pass(milliseconds: 5_000)
    #expect(desk.take().isEmpty)
  }

  @Test(arguments: [
    ("str+{}", "str"), ("spl+{}", "spl"), ("ssd+DU1234567+{}", "ssd+DU1234567"),
    ("sld+DU1234567", "sld+DU1234567"),
  ])
  func answersTheFeedsOfTheAccount(text: String, topic: String) throws {
    var desk = greeted()
    desk.say(text)
    let messages = desk.take()
    #expect(try parse(try #require(messages.first))["topic"]?.string == topic)
  }

  @Test func waitsForASessionThatItDoesNotKnow() {
    var desk = Desk()
    _ = desk.gateway.open(at: desk.now, knowsSession: false)
    desk.pass(milliseconds: 1_000)
    #expect(desk.take() == [#"{"message":"waiting for session"}"#])
    desk.say(#"{"session":"wrong"}"#)
    desk.say("tic")
    desk.pass(milliseconds: 1_000)
    #expect(desk.take().isEmpty)
    desk.say(#"{"session":"\#(desk.gateway.state.login.session)"}"#)
    desk.pass(milliseconds: 1_000)
    #expect(desk.take().count == 3)
  }

  @Test func theSameSeedAndTheSameCommandsGiveTheSameMessages() {
    func run(_ seed: UInt64) -> [String] {
      var desk = greeted { $0.seed = seed }
      desk.say(Self.subscription)
      desk.say(#"smd+8314+{"fields":["31","84","86","7059","85","88","87"]}"#)
      desk.pass(milliseconds: 30_000)
      return desk.take()
    }
    #expect(run(5) == run(5))
    #expect(run(5) != run(6))
  }

  @Test func sendsAtTheRateThatIsAskedFor() {
    var desk = greeted { $0.pace = .every(1_000_000) }
    desk.say(Self.subscription)
    desk.pass(milliseconds: 1_200)
    #expect((990...1_010).contains(desk.take().filter { $0.contains("smd+") }.count))
  }
}
