// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import JSON
import Testing

@testable import IBKR

@Suite struct SessionSupervisorTests {
  typealias World = SupervisedWorld

  private func ready(_ rules: SessionSupervisor.Rules) -> World {
    var world = World(rules)
    world.pass(30)
    return world
  }

  @Test func `OAuth climbs from nothing to ready with one call for each rung`() {
    let world = ready(World.oauth)
    #expect(
      world.calls() == [
        "generateToken", "status", "openSession(compete: true)", "accounts", "tickle",
      ]
    )
    #expect(world.path == [.liveSessionToken, .established, .ready])
  }

  @Test func `A gateway that is logged in takes two calls, as ever`() {
    let world = ready(World.gateway)
    #expect(world.calls() == ["tickle", "accounts"])
    #expect(world.path == [.established, .ready])
  }

  @Test func `A session that is open already is not opened again`() {
    var world = World(World.oauth)
    world.server.isAuthenticated = true
    world.pass(30)
    #expect(world.calls() == ["generateToken", "status", "accounts", "tickle"])
  }

  @Test func `A tickle a minute, and nothing else, while all is well`() {
    var world = ready(World.oauth)
    let before = world.requests.count
    world.pass(3_600)
    #expect(world.calls(since: before) == Array(repeating: "tickle", count: 60))
    #expect(world.path.last == .ready)
  }

  @Test func `Account data that takes its time is waited for`() {
    var world = World(World.oauth)
    world.server.isEstablished = false
    world.pass(20)
    #expect(world.path.last == .brokerageSession)
    #expect(!world.calls().contains("accounts"))
    world.server.isEstablished = true
    world.pass(15)
    #expect(world.path.last == .ready)
  }

  struct Loss: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let harm: @Sendable (inout World) -> Void
    /// The first calls after it was noticed.
    let calls: [String]
    let phases: [SessionPhase]
  }

  @Test(arguments: [
    Loss(
      testDescription: "the token is not known any longer",
      harm: { $0.server.hasToken = false },
      calls: ["tickle", "generateToken", "status"],
      phases: [.degraded, .ready]
    ),
    Loss(
      testDescription: "410",
      harm: { $0.server.isGone = true },
      calls: ["tickle", "generateToken", "status"],
      phases: [.degraded, .ready]
    ),
    Loss(
      testDescription: "the brokerage session is dropped without a word",
      harm: { $0.server.isAuthenticated = false },
      calls: ["tickle", "openSession(compete: false)", "status", "accounts", "tickle"],
      phases: [.liveSessionToken, .established, .ready]
    ),
    Loss(
      testDescription: "the brokerage session is dropped, and the socket says so",
      harm: { $0.change(isTold: true) { $0.isAuthenticated = false } },
      calls: ["status", "openSession(compete: false)", "status", "accounts", "tickle"],
      phases: [.liveSessionToken, .established, .ready]
    ),
    Loss(
      testDescription: "the socket breaks",
      harm: { $0.drop() },
      calls: ["status", "accounts", "tickle"],
      phases: [.degraded, .established, .ready]
    ),
    Loss(
      testDescription: "another session",
      harm: { $0.server.session = 2 },
      calls: ["tickle", "status", "accounts", "tickle"],
      phases: [.established, .ready]
    ),
  ])
  func `A loss is made good rung by rung`(_ loss: Loss) {
    var world = ready(World.oauth)
    let (requests, phases) = (world.requests.count, world.phases.count)
    loss.harm(&world)
    world.pass(100)
    #expect(Array(world.calls(since: requests).prefix(loss.calls.count)) == loss.calls)
    #expect(Array(world.path.dropFirst(phases)) == loss.phases)
  }

  @Test func `A token that is lost costs no connection`() {
    var world = ready(World.oauth)
    world.server.hasToken = false
    world.pass(120)
    #expect(world.path.last == .ready)
    #expect(!world.actions.contains { if case .failed = $0 { true } else { false } })
    #expect(!world.actions.contains { if case .suspended = $0 { true } else { false } })
  }

  @Test func `A token is renewed before its end`() {
    var world = World(World.oauth)
    world.server.tokenLifetime = 24 * 3_600 * World.second
    world.pass(23 * 3_600 - 60)
    #expect(world.calls().count { $0 == "generateToken" } == 1)
    world.pass(120)
    #expect(world.calls().count { $0 == "generateToken" } == 2)
    #expect(world.path == [.liveSessionToken, .established, .ready])
  }

  @Test func `A token ages while the machine sleeps`() {
    var world = World(World.oauth)
    world.server.tokenLifetime = 24 * 3_600 * World.second
    world.pass(12 * 3_600)
    world.sleep(10 * 3_600)
    world.pass(3_600 - 60)
    #expect(world.calls().count { $0 == "generateToken" } == 1)
    world.pass(120)
    #expect(world.calls().count { $0 == "generateToken" } == 2)
    #expect(world.path.last == .ready)
  }

  @Test func `A renewal that fails leaves the tickles alone`() throws {
    var world = World(World.oauth)
    world.server.tokenLifetime = 4_000 * World.second
    world.pass(2_990)
    world.server.answersInTime = false
    world.pass(60)
    world.server.answersInTime = true
    let before = world.requests.count
    world.pass(240)
    #expect(world.calls(since: before).count { $0 == "tickle" } >= 3)
    #expect(world.calls(since: before).count { $0 == "generateToken" } == 1)
    #expect(world.path.last == .ready)
  }

  @Test func `A tickle without an answer is not the end of the session`() {
    var world = ready(World.oauth)
    let phases = world.phases.count
    world.server.answersInTime = false
    world.pass(120)
    #expect(Array(world.path.dropFirst(phases)) == [.degraded])
    #expect(!world.actions.contains { if case .suspended = $0 { true } else { false } })
    world.server.answersInTime = true
    world.pass(120)
    #expect(Array(world.path.dropFirst(phases)) == [.degraded, .ready])
    #expect(!world.actions.contains { if case .failed = $0 { true } else { false } })
  }

  @Test(arguments: [(90, 90...92), (nil, 60...62)] as [(Int64?, ClosedRange<Int64>)])
  func `A 429 silences everything for as long as it says`(
    after: Int64?,
    silence: ClosedRange<Int64>
  ) throws {
    var world = ready(World.oauth)
    world.server.isLimiting = true
    world.server.retryAfter = after.map { $0 * World.second }
    let before = world.requests.count
    world.pass(200)
    let times = world.requests.dropFirst(before).map(\.at)
    try #require(times.count >= 2)
    #expect(silence.contains((times[1] - times[0]) / World.second))
    #expect(world.path.last == .degraded)
    world.server.isLimiting = false
    world.pass(300)
    #expect(world.path.last == .ready)
  }

  @Test(arguments: [CompetePolicy.never, .start, .always])
  func `Another login at the start`(_ policy: CompetePolicy) {
    var rules = World.oauth
    rules.compete = policy
    var world = World(rules)
    world.server.isCompeting = true
    world.pass(120)
    #expect((world.path.last == .ready) == (policy != .never))
    #expect(world.path.contains(.competing))
    world.server.isCompeting = false
    world.pass(120)
    #expect(world.path.last == .ready)
  }

  @Test(arguments: [CompetePolicy.never, .start, .always])
  func `Another login later`(_ policy: CompetePolicy) {
    var rules = World.oauth
    rules.compete = policy
    var world = ready(rules)
    let before = world.requests.count
    world.change(isTold: true) { $0.isCompeting = true }
    #expect(world.path.last == .competing)
    world.pass(300)
    let fights = world.calls(since: before).count { $0 == "openSession(compete: true)" }
    #expect(fights == (policy == .always ? 1 : 0))
    #expect(world.path.last == (policy == .always ? .ready : .competing))
    world.change(isTold: false) { $0.isCompeting = false }
    world.pass(120)
    #expect(world.path.last == .ready)
  }

  @Test func `At a gateway another login is left alone unless told otherwise`() {
    var world = ready(World.gateway)
    world.change(isTold: true) {
      $0.isCompeting = true
      $0.isAuthenticated = false
    }
    world.pass(600)
    #expect(!world.calls().contains { $0.hasPrefix("openSession") })
    #expect(world.path.last == .competing)
  }

  @Test func `At a gateway a session that timed out is opened again, a login is not`() {
    var world = ready(World.gateway)
    world.change(isTold: false) { $0.isAuthenticated = false }
    world.pass(120)
    #expect(world.path.last == .ready)
    world.change(isTold: false) {
      $0.isAuthenticated = false
      $0.opens = false
    }
    let before = world.requests.count
    world.pass(3_600)
    // A person is called for, and once a minute it is tried all the same.
    let openings = world.calls(since: before).count { $0.hasPrefix("openSession") }
    #expect((40...62).contains(openings))
    #expect(world.supervisor.state.remedy?.contains("browser") == true)
    world.change(isTold: false) { $0.opens = true }
    world.pass(90)
    #expect(world.path.last == .ready)
    world.change(isTold: false) { $0.hasLogin = false }
    world.pass(120)
    #expect(world.path.last == .loggedOut)
    #expect(world.supervisor.state.remedy?.contains("browser") == true)
    // The person comes.
    world.change(isTold: false) {
      $0.hasLogin = true
      $0.isAuthenticated = true
    }
    world.pass(120)
    #expect(world.path.last == .ready)
  }

  @Test func `Where opening does not help, a new login is made`() {
    var world = ready(World.oauth)
    let before = world.requests.count
    world.change(isTold: true) {
      $0.isAuthenticated = false
      $0.opens = false
    }
    world.pass(300)
    #expect(world.calls(since: before).count { $0 == "generateToken" } == 1)
    world.server.opens = true
    world.pass(120)
    #expect(world.path.last == .ready)
  }

  @Test func `In the nightly window a loss has that name, and is asked for slowly`() {
    // 2026-05-01 03:30 UTC is 23:30 in New York.
    var world = World(World.oauth, realtime: 1_777_606_200 * World.second)
    world.pass(60)
    let (requests, phases) = (world.requests.count, world.phases.count)
    world.change(isTold: true) {
      $0.isAuthenticated = false
      $0.opens = false
    }
    world.pass(300)
    #expect(world.path[phases] == .maintenance)
    #expect(world.supervisor.state.reason.contains("New York"))
    let gaps = world.actions.compactMap { if case .suspended(let why, _) = $0 { why } else { nil } }
    #expect(gaps == [.maintenance])
    #expect(world.requests.count - requests <= 30)
    world.server.opens = true
    world.pass(120)
    #expect(world.path.last == .ready)
  }

  @Test(arguments: [SupervisedWorld.gateway, SupervisedWorld.oauth])
  func `A start that is not to wait fails, and says why`(_ base: SessionSupervisor.Rules) throws {
    var rules = base
    rules.patience = 60 * World.second
    rules.compete = .never
    var world = World(rules)
    world.server.isCompeting = true
    world.pass(200)
    let failures = world.actions.compactMap {
      if case .failed(let loss, _) = $0 { loss.error.code } else { nil }
    }
    #expect(failures.first == .competing)
  }

  @Test func `The switches leave the calls to somebody else`() {
    var rules = World.oauth
    rules.opensSession = false
    rules.tickles = false
    var world = World(rules)
    world.pass(600)
    #expect(!world.calls().contains { $0.hasPrefix("openSession") })
    #expect(world.path.last == .liveSessionToken)
    #expect(world.supervisor.state.remedy?.contains("initializeBrokerageSession") == true)
    world.server.isAuthenticated = true
    world.pass(60)
    #expect(world.path.last == .ready)
    let before = world.requests.count
    world.pass(600)
    #expect(world.requests.count == before)
    rules.generatesToken = false
    var other = World(rules)
    other.pass(600)
    #expect(other.path.last == .loggedOut)
    #expect(!other.calls().contains("generateToken"))
    other.server.hasToken = true
    other.server.isAuthenticated = true
    other.pass(120)
    #expect(other.path.last == .ready)
  }

  @Test func `The session is sent once and only when asked for`() throws {
    var world = World(World.gateway)
    world.pass(0)
    world.drop()
    world.supervisor.connecting()
    world.supervisor.opened()
    let waiting = try JSONValue(parsing: Array(#"{"message":"waiting for session"}"#.utf8))
    let first = world.supervisor.receive(.waitingForSession, waiting, at: world.now)
    #expect(first.contains(.sendSession))
    let second = world.supervisor.receive(.waitingForSession, waiting, at: world.now)
    #expect(second.isEmpty)
    let greeting = try JSONValue(parsing: Array(#"{"success":"user"}"#.utf8))
    let greeted = world.supervisor.receive(.system, greeting, at: world.now)
    #expect(greeted.first == .greeted)
    #expect(!world.supervisor.state.isWaitingForSession)
  }

  @Test func `A key that is missing is unchanged`() {
    var world = ready(World.gateway)
    let before = world.actions.count
    world.say(#"{"topic":"sts","args":{"serverName":"JifN19053"}}"#)
    world.say(#"{"topic":"system","hb":1}"#)
    #expect(world.actions.count == before)
    #expect(world.supervisor.isUsable)
  }
}
