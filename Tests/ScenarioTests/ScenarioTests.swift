// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import Testing

@testable import scenarios

@Suite(.timeLimit(.minutes(15))) struct ScenarioTests {
  private static let bench = Result { Bench(user: try SimulatedUser()) }

  @Test(
    arguments: Family.all.flatMap { family in
      // scripts/scenarios plays them all; these run under the sanitizers as well.
      family.trials.filter { family.name == "session" || $0.isRepresentative }
        .map { "\(family.name)/\($0.name)" }
    }
  )
  func `The client comes back`(_ name: String) async throws {
    let parts = name.split(separator: "/")
    let family = try #require(Family.all.first { $0.name == parts[0] })
    let trial = try #require(family.trials.first { $0.name == parts[1] })
    let report = try await Self.bench.get().run(trial, seed: 7)
    #expect(report.failures.isEmpty, "\(report.lines.joined(separator: "\n"))")
  }

  @Test func `Every scenario of the simulator's list that is played stands in it`() {
    for trial in Family.stream.trials {
      #expect(trial.summary != Scenario.unlisted, "\(trial.name)")
    }
  }

  @Test func `There are enough of them`() {
    #expect(Family.stream.trials.count >= 30)
    #expect(Family.all.flatMap(\.trials).count { $0.live != nil } >= 10)
  }

  @Test func `Names are unique in a family`() {
    for family in Family.all {
      #expect(Set(family.trials.map(\.name)).count == family.trials.count)
    }
  }

  @Test(arguments: [
    ([], 0), ([5], 1), ([0, 999], 2), ([0, 1_000], 1), ([0, 500, 999, 1_500, 1_998], 3),
    ([3_000, 0, 100], 2),
  ])
  func `Any window counts`(_ times: [Int64], _ most: Int) {
    #expect(Pace.most(times, within: 1_000) == most)
  }
}
