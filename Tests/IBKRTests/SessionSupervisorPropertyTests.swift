// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

/// Hours of random trouble, and what must be true whatever it was.
@Suite struct SessionSupervisorPropertyTests {
  typealias World = SupervisedWorld

  private enum Trouble: CaseIterable {
    case tokenLost, gone, dropped, droppedSilently, competing, limited, unreachable, slow
    case notEstablished, cut, newSession, inVain, loggedOut
  }

  private static func begin(_ trouble: Trouble, in world: inout World, _ random: inout Jitter) {
    switch trouble {
    case .tokenLost: world.server.hasToken = false
    case .gone: world.server.isGone = true
    case .dropped: world.change(isTold: true) { $0.isAuthenticated = false }
    case .droppedSilently: world.change(isTold: false) { $0.isAuthenticated = false }
    case .competing:
      let isTold = Bool.random(using: &random)
      world.change(isTold: isTold) { $0.isCompeting = true }
    case .limited:
      world.server.isLimiting = true
      world.server.retryAfter =
        Bool.random(using: &random) ? Int64.random(in: 0...600, using: &random) * World.second : nil
    case .unreachable:
      world.server.isReachable = false
      world.drop()
    case .slow: world.server.answersInTime = false
    case .notEstablished: world.change(isTold: false) { $0.isEstablished = false }
    case .cut: world.drop()
    case .newSession: world.server.session += 1
    case .inVain:
      world.change(isTold: false) {
        $0.isAuthenticated = false
        $0.opens = false
      }
    case .loggedOut: world.server.hasLogin = false
    }
  }

  private static func heal(_ world: inout World) {
    let isGateway = world.supervisor.rules.login == .gateway
    world.change(isTold: false) { server in
      server.isReachable = true
      server.answersInTime = true
      server.isEstablished = true
      server.isCompeting = false
      server.opens = true
      server.isLimiting = false
      server.hasLogin = true
      // At a gateway it is a person who logs in again.
      if isGateway { server.isAuthenticated = true }
    }
  }

  /// A run of some hours, half of them in some window.
  private static func run(_ rules: SessionSupervisor.Rules, seed: UInt64) -> World {
    var random = Jitter(seed: seed)
    let realtime = World.noon + Int64.random(in: 0...14 * 24, using: &random) * 3_600 * World.second
    var world = World(rules, realtime: realtime, seed: seed)
    world.server.tokenLifetime = Int64.random(in: 600...86_400, using: &random) * World.second
    for _ in 0..<40 {
      world.pass(.random(in: 0...120, using: &random))
      for _ in 0...Int.random(in: 0...1, using: &random) {
        if let trouble = Trouble.allCases.randomElement(using: &random) {
          begin(trouble, in: &world, &random)
        }
      }
      world.pass(.random(in: 0...300, using: &random))
      if Int.random(in: 0...3, using: &random) > 0 { heal(&world) }
    }
    heal(&world)
    world.pass(1_200)
    return world
  }

  private static let sessions: [(SessionSupervisor.Login, CompetePolicy)] = [
    (.oauth, .never), (.oauth, .start), (.oauth, .always), (.gateway, .never), (.gateway, .start),
  ]

  private static func rules(
    _ login: SessionSupervisor.Login,
    _ policy: CompetePolicy
  ) -> SessionSupervisor.Rules {
    var rules = login == .oauth ? World.oauth : World.gateway
    rules.compete = policy
    return rules
  }

  @Test(arguments: sessions)
  func `Whatever happens it comes back, at a pace that is allowed, and fights only as told`(
    login: SessionSupervisor.Login,
    policy: CompetePolicy
  ) {
    let seeds: Range<UInt64> = 1..<151
    for seed in seeds {
      let world = Self.run(Self.rules(login, policy), seed: seed)
      #expect(world.path.last == .ready, "seed \(seed): \(world.supervisor.state)")
      #expect(world.supervisor.isUsable, "seed \(seed)")
      #expect(Self.keepsPace(world), "seed \(seed)")
      #expect(Self.fightsOnly(policy, world), "seed \(seed)")
      if login == .gateway {
        #expect(!world.calls().contains("generateToken"), "seed \(seed)")
      }
    }
  }

  // Protocol reference 3.8: 10 requests a second, `tickle` once a second. And far below that, 60 a
  // minute in all.
  private static func keepsPace(_ world: World) -> Bool {
    let times = world.requests.map(\.at)
    let tickles = world.requests.filter { $0.call == .tickle }.map(\.at)
    return zip(times, times.dropFirst(10)).allSatisfy { $1 - $0 > World.second }
      && zip(times, times.dropFirst(60)).allSatisfy { $1 - $0 > 60 * World.second }
      && zip(tickles, tickles.dropFirst()).allSatisfy { $1 - $0 >= World.second }
  }

  private static func fightsOnly(_ policy: CompetePolicy, _ world: World) -> Bool {
    let fights = world.requests.filter { $0.call == .openSession(compete: true) }
    let firstReady = world.phases.first { $0.phase == .ready }.map(\.at) ?? .max
    return switch policy {
    case .never:
      fights.isEmpty
    case .start:
      fights.count(where: \.wasAnswered) <= 1
        && fights.allSatisfy { ($0.at - world.start) / World.second <= firstReady }
    case .always:
      zip(fights, fights.dropFirst()).allSatisfy { one, next in
        !one.wasAnswered || next.at - one.at >= 60 * World.second
      }
    }
  }
}
