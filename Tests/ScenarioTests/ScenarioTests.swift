// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import Testing

@testable import scenarios

@Suite(.timeLimit(.minutes(2))) struct ScenarioTests {
  private static let bench = Result { Bench(user: try SimulatedUser()) }

  @Test(arguments: Family.all.flatMap(\.trials).map(\.name))
  func `The client comes back`(_ name: String) async throws {
    let trial = try #require(Family.all.flatMap(\.trials).first { $0.name == name })
    let report = try await Self.bench.get().run(trial, seed: 7)
    #expect(report.failures.isEmpty, "\(report.lines.joined(separator: "\n"))")
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
