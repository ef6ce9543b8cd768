// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import GatewaySimulator

@Suite struct ScenarioTests {
  private func opening(compete: Bool) -> String { #"{"publish":true,"compete":\#(compete)}"# }

  private func run(_ fault: Fault) -> Desk {
    var desk = Desk(scenario: Scenario(name: "test", events: [.init(fault, after: .seconds(20))]))
    _ = desk.open()
    desk.pass(milliseconds: 1_000)
    desk.say(SocketSessionTests.subscription)
    desk.pass(milliseconds: 18_000)
    _ = desk.take()
    return desk
  }

  @Test func dropsConnections() {
    var desk = run(.dropConnections)
    desk.pass(milliseconds: 2_000)
    #expect(desk.log.contains { $0.output == .drop })
    desk.gateway.close(1)
    #expect(desk.gateway.nextTime == nil)
  }

  @Test func closesConnections() {
    var desk = run(.closeConnections(code: 1001))
    desk.pass(milliseconds: 2_000)
    #expect(desk.log.contains { $0.output == .close(code: 1001) })
  }

  @Test func refusesConnectionsForAWhile() {
    var desk = run(.refuseConnections(for: .seconds(5)))
    desk.pass(milliseconds: 2_000)
    #expect(desk.gateway.refusesConnections)
    desk.pass(milliseconds: 5_000)
    #expect(!desk.gateway.refusesConnections)
  }

  @Test func fallsSilentForAWhile() {
    var desk = run(.silence(for: .seconds(30)))
    desk.pass(milliseconds: 1_000)
    _ = desk.take()
    desk.pass(milliseconds: 29_000)
    #expect(desk.take().isEmpty)
    desk.pass(milliseconds: 15_000)
    #expect(desk.take().contains { $0.contains("hb") })
  }

  @Test func pausesDataButNotHeartbeats() {
    var desk = run(.dataPause(for: .seconds(30)))
    desk.pass(milliseconds: 1_000)
    _ = desk.take()
    desk.pass(milliseconds: 29_000)
    let messages = desk.take()
    #expect(messages.count >= 2)
    #expect(messages.allSatisfy { $0.contains("hb") })
  }

  @Test(arguments: [true, false])
  func losesTheBrokerageSession(announced: Bool) throws {
    var desk = run(.authenticationLoss(for: .seconds(30), announcesReturn: announced))
    desk.pass(milliseconds: 1_500)
    #expect(desk.take().contains(#"{"topic":"sts","args":{"authenticated":false}}"#))
    #expect(desk.get("/iserver/accounts")?.status == 400)
    #expect(desk.get("/iserver/auth/status")?.body.contains(#""authenticated":false"#) == true)
    desk.pass(milliseconds: 30_000)
    let told = desk.take().contains(#"{"topic":"sts","args":{"authenticated":true}}"#)
    #expect(told == announced)
    #expect(desk.get("/iserver/accounts")?.status == 200)
  }

  @Test func anotherLoginCompetes() {
    var desk = run(.competingLogin(for: .seconds(30)))
    desk.pass(milliseconds: 1_500)
    #expect(desk.take().contains(#"{"topic":"sts","args":{"competing":true}}"#))
    let gentle = desk.get("/iserver/auth/ssodh/init", method: "POST", body: opening(compete: false))
    #expect(gentle?.body.contains(#""competing":true"#) == true)
    let firm = desk.get("/iserver/auth/ssodh/init", method: "POST", body: opening(compete: true))
    #expect(firm?.body.contains(#""competing":false"#) == true)
  }

  @Test func logsInAgain() {
    var desk = run(.newSession)
    let before = desk.gateway.state.login.session
    desk.pass(milliseconds: 2_000)
    #expect(desk.gateway.state.login.session != before)
    #expect(desk.log.contains { $0.output == .close(code: 1000) })
  }

  @Test func everyNameIsFound() {
    for scenario in Scenario.all { #expect(Scenario.named(scenario.name) == scenario) }
    #expect(Scenario.named("no such") == nil)
  }
}
