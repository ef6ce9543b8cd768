// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import IBKR

@Suite struct SessionMachineTests {
  private func json(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8))
  }

  private let greeting = #"{"topic":"system","success":"user","isFT":false}"#
  private let status = """
    {"topic":"sts","args":{"connected":true,"authenticated":true,"established":true,\
    "competing":false,"message":"","fail":""}}
    """

  private func ready() throws -> SessionMachine {
    var machine = SessionMachine()
    machine.connect(session: 1)
    _ = machine.receive(.system, try json(greeting))
    _ = machine.receive(.status, try json(status))
    return machine
  }

  @Test func greetingAndStatusMakeItReady() throws {
    var machine = SessionMachine()
    machine.connect(session: 1)
    #expect(!machine.isReady)
    let greeted = machine.receive(.system, try json(greeting))
    #expect(greeted == [.greeted])
    #expect(!machine.isReady)
    let changed = machine.receive(.status, try json(status))
    #expect(changed == [.changed(machine.state)])
    #expect(machine.isReady)
    let heartbeat = machine.receive(.system, try json(#"{"topic":"system","hb":1}"#))
    let again = machine.receive(.status, try json(status))
    #expect(heartbeat.isEmpty && again.isEmpty)
  }

  @Test func aMissingKeyIsUnchanged() throws {
    var machine = try ready()
    let actions = machine.receive(.status, try json(#"{"args":{"serverName":"JifN19053"}}"#))
    #expect(actions.isEmpty)
    #expect(machine.isReady)
  }

  @Test(arguments: [
    (#"{"args":{"authenticated":false}}"#, GapReason.auth),
    (#"{"args":{"competing":true}}"#, .competing),
    (#"{"args":{"established":false}}"#, .auth),
  ])
  func aLossSuspendsAndTheReturnReconnects(_ loss: String, reason: GapReason) throws {
    var machine = try ready()
    let lost = machine.receive(.status, try json(loss))
    guard case .suspended(let told, _)? = lost.last else {
      Issue.record("not suspended: \(lost)")
      return
    }
    #expect(told == reason)
    #expect(!machine.isReady)
    // The server does not say that it is back; REST does.
    let status = try json(#"{"authenticated":true,"established":true,"competing":false}"#)
    let back = machine.merge(SessionState(answer: status))
    #expect(back.last == .reconnect(.auth, "the session is back"))
  }

  @Test func theSessionIsSentOnceAndOnlyWhenAskedFor() throws {
    var machine = SessionMachine()
    machine.connect(session: 1)
    let waiting = try json(#"{"message":"waiting for session"}"#)
    let first = machine.receive(.waitingForSession, waiting)
    #expect(first == [.changed(machine.state), .sendSession])
    let second = machine.receive(.waitingForSession, waiting)
    #expect(second.isEmpty)
    let greeted = machine.receive(.system, try json(greeting))
    #expect(greeted.first == .greeted)
    #expect(!machine.state.isWaitingForSession)
  }

  @Test func anotherSessionNeedsAnotherConnection() throws {
    var machine = try ready()
    let same = machine.tickled(session: 1)
    #expect(same.isEmpty)
    let other = machine.tickled(session: 2)
    #expect(other == [.reconnect(.auth, "the session has been replaced by a new one")])
    let told = machine.tickled(session: 2)
    #expect(told.isEmpty)
  }

  @Test func aNewConnectionKnowsNothingOfTheOld() throws {
    var machine = try ready()
    machine.connect(session: 2)
    #expect(machine.state == SessionState())
    let greeted = machine.receive(.system, try json(greeting))
    let status = machine.receive(.status, try json(status))
    #expect(greeted == [.greeted])
    #expect(status == [.changed(machine.state)])
  }

  @Test func silenceCountsOnlyWhileWeListen() {
    var monitor = HeartbeatMonitor(limit: .seconds(30))
    #expect(monitor.deadline == nil)
    monitor.heard(at: 5)
    #expect(monitor.deadline == nil)
    monitor.start(at: 0)
    monitor.heard(at: 10_000_000_000)
    #expect(monitor.deadline == 40_000_000_000)
    #expect(!monitor.isDead(at: 39_999_999_999))
    #expect(monitor.isDead(at: 40_000_000_000))
    monitor.pause(at: 20_000_000_000)
    #expect(!monitor.isDead(at: 90_000_000_000))
    monitor.resume(at: 80_000_000_000)
    #expect(monitor.deadline == 100_000_000_000)
    monitor.stop()
    #expect(!monitor.isDead(at: .max))
  }
}
