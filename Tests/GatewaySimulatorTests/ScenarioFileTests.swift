// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import GatewaySimulator

@Suite struct ScenarioFileTests {
  static let faults: [(String, Fault)] = [
    (#""fault":"drop-connections""#, .dropConnections),
    (#""fault":"close-connections""#, .closeConnections(code: 1000)),
    (#""fault":"close-connections","code":1013"#, .closeConnections(code: 1013)),
    (#""fault":"refuse-connections","for":"5s""#, .refuseConnections(for: .seconds(5))),
    (#""fault":"silence","for":"1m""#, .silence(for: .seconds(60))),
    (#""fault":"data-pause","for":"500ms""#, .dataPause(for: .milliseconds(500))),
    (
      #""fault":"authentication-loss","for":"5s""#,
      .authenticationLoss(for: .seconds(5), announcesReturn: false)
    ),
    (
      #""fault":"authentication-loss","for":"5s","announced":true"#,
      .authenticationLoss(for: .seconds(5), announcesReturn: true)
    ),
    (#""fault":"brokerage-loss""#, .brokerageLoss(isAnnounced: true)),
    (#""fault":"brokerage-loss","announced":false"#, .brokerageLoss(isAnnounced: false)),
    (#""fault":"competing-login","for":"1m""#, .competingLogin(for: .seconds(60))),
    (#""fault":"not-established","for":"20s""#, .notEstablished(for: .seconds(20))),
    (#""fault":"token-loss""#, .tokenLoss),
    (#""fault":"new-session""#, .newSession),
    (#""fault":"login-loss","for":"1h""#, .loginLoss(for: .seconds(3_600))),
    (#""fault":"gone","for":"20s""#, .gone(for: .seconds(20))),
    (
      #""fault":"too-many-requests","for":"20s""#,
      .tooManyRequests(for: .seconds(20), retryAfter: nil)
    ),
    (
      #""fault":"too-many-requests","for":"20s","retry_after":"7s""#,
      .tooManyRequests(for: .seconds(20), retryAfter: .seconds(7))
    ),
    (#""fault":"expire-subscriptions""#, .expireSubscriptions),
    (#""fault":"half-open","for":"1m""#, .halfOpen(for: .seconds(60))),
    (#""fault":"cut-connections""#, .cutConnections),
    (#""fault":"break-protocol","how":"masked-frame""#, .breakProtocol(.maskedFrame)),
    (#""fault":"heartbeat-pause","for":"1m""#, .heartbeatPause(for: .seconds(60))),
    (#""fault":"expiry","for":"10m""#, .expiry(after: .seconds(600))),
    (
      #""fault":"mute-instrument","conid":265598"#,
      .muteInstrument(conid: 265_598, isDeaf: false)
    ),
    (
      #""fault":"mute-instrument","conid":265598,"deaf":true"#,
      .muteInstrument(conid: 265_598, isDeaf: true)
    ),
    (#""fault":"ignore-subscriptions","for":"5s""#, .ignoreSubscriptions(for: .seconds(5))),
    (#""fault":"refuse-subscriptions","for":"5s""#, .refuseSubscriptions(for: .seconds(5))),
    (#""fault":"distort","how":"split","for":"5s""#, .distort(.split, for: .seconds(5))),
    (#""fault":"say","what":"not-utf8-text""#, .say(.notUTF8Text)),
    (#""fault":"flood","messages":5000"#, .flood(messages: 5_000)),
    (#""fault":"history","how":"no-data","for":"5s""#, .history(.noData, for: .seconds(5))),
    (#""fault":"tickle-timeout","for":"90""#, .tickleTimeout(for: .seconds(90))),
    (#""fault":"nightly-reset","for":"5m""#, .nightlyReset(for: .seconds(300))),
  ]

  @Test(arguments: faults)
  func readsEachFault(members: String, fault: Fault) throws {
    let scenario = try Scenario(name: "f", lines: #"{"after":"0s",\#(members)}"#)
    #expect(scenario.events == [Scenario.Event(fault, after: .zero)])
  }

  @Test func everyNameHasALine() {
    let lines = Self.faults.map(\.0)
    for name in Fault.names {
      #expect(lines.contains { $0.hasPrefix(#""fault":"\#(name)""#) }, "\(name)")
    }
  }

  @Test func readsLinesCommentsAndRepetitions() throws {
    let text = """
      # Comments and empty lines count as lines.

        {"after":"1m","fault":"token-loss"}
      {"after":"10s","fault":"drop-connections","every":"20s","times":3}
      """
    let scenario = try Scenario(name: "f", lines: text + "\r\n")
    #expect(
      scenario.events.map(\.after) == [.seconds(60), .seconds(10), .seconds(30), .seconds(50)]
    )
    #expect(scenario.events.map(\.fault).first == .tokenLoss)
    #expect(try Scenario(name: "f", lines: "").events.isEmpty)
  }

  @Test(arguments: [
    ("gone", "not a JSON object"),
    (#"["gone"]"#, "not a JSON object"),
    (#"{"after":"1s","fault":"gone","for":"20s"} x"#, "not a JSON object"),
    (#"{"after":"1s"}"#, "'fault' is missing"),
    (#"{"after":"1s","fault":[]}"#, "'fault' is missing"),
    (#"{"fault":"token-loss"}"#, "'after' is missing"),
    (#"{"after":"soon","fault":"token-loss"}"#, "'after' is no duration"),
    (#"{"after":true,"fault":"token-loss"}"#, "'after' is no duration"),
    (#"{"after":"1s","fault":"gonne","for":"1s"}"#, "there is no fault 'gonne': choose one of"),
    (#"{"after":"1s","fault":"gone"}"#, "'for' is missing"),
    (#"{"after":"1s","fault":"gone","for":"-1s"}"#, "'for' is no duration"),
    (#"{"after":"1s","fault":"token-loss","for":"1s"}"#, "'token-loss' takes no 'for'"),
    (#"{"after":"1s","fault":"gone","for":"1s","code":1}"#, "'gone' takes no 'code'"),
    (#"{"after":"1s","fault":"gone","until":"1s"}"#, "there is no member 'until'"),
    (#"{"after":"1s","after":"2s","fault":"token-loss"}"#, "'after' stands twice"),
    (#"{"after":"1s","fault":"close-connections","code":999}"#, "'code' is a number"),
    (#"{"after":"1s","fault":"brokerage-loss","announced":"no"}"#, "'announced' is true or false"),
    (#"{"after":"1s","fault":"say","what":"hello"}"#, "'what' is one of wrong-json, "),
    (#"{"after":"1s","fault":"say"}"#, "'what' is one of "),
    (#"{"after":"1s","fault":"distort","how":"split"}"#, "'for' is missing"),
    (#"{"after":"1s","fault":"flood","messages":0}"#, "'messages' is a number from 1 to"),
    (#"{"after":"1s","fault":"mute-instrument"}"#, "'conid' is a number from 1 to"),
    (#"{"after":"1s","fault":"token-loss","times":2}"#, "'times' needs 'every'"),
    (#"{"after":"1s","fault":"token-loss","every":"1s"}"#, "'every' needs 'times'"),
    (#"{"after":"1s","fault":"token-loss","every":"1s","times":0}"#, "'every' needs 'times'"),
  ])
  func saysWhichLineIsWrong(line: String, complaint: String) {
    let error = #expect(throws: GatewaySimulatorError.self) {
      try Scenario(name: "faults.ndjson", lines: "# one\n\n\(line)\n")
    }
    #expect(error?.code == .scenario)
    #expect(error?.description.hasPrefix("faults.ndjson:3: \(complaint)") == true)
  }

  @Test func thereIsALimit() {
    let line = #"{"after":"1s","fault":"token-loss","every":"1s","times":10000}"#
    let error = #expect(throws: GatewaySimulatorError.self) {
      try Scenario(name: "f", lines: "\(line)\n\(line)")
    }
    #expect(error?.description.hasPrefix("f:2: ") == true)
  }

  @Test func namedScenariosAreToldInOneLine() {
    for scenario in Scenario.all {
      #expect(!scenario.summary.isEmpty && !scenario.summary.contains("\n"), "\(scenario.name)")
    }
    #expect(Set(Scenario.all.map(\.name)).count == Scenario.all.count)
  }
}
