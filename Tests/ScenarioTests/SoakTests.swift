// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR
import Testing

@testable import scenarios

@Suite(.timeLimit(.minutes(15))) struct SoakTests {
  private static let patience = SoakPatience(
    StreamConfiguration(),
    IbkrConfiguration(),
    subscriptions: 11
  )

  @Test(arguments: [1, 2] as [UInt64])
  func `After each fault of an hour everything is active again, and nothing is left`(
    _ seed: UInt64
  ) async throws {
    let plan = SoakPlan(seed: seed, hours: 1, isFull: false, patience: Self.patience)
    let run = SoakRun(
      plan: plan,
      patience: Self.patience,
      user: try SimulatedUser(),
      instruments: 5,
      isTalking: false
    )
    let result = try await run.run()
    #expect(result.failures.isEmpty, "\(result.failures)")
    #expect(result.recoveries.count == plan.incidents.count)
    let ledger = result.ledger
    #expect(ledger.sent == ledger.delivered + ledger.inGaps + ledger.forReplaced)
    #expect(result.leashes.filter(\.isAlive).map(\.name).isEmpty)
  }

  @Test func `The same seed gives the same plan`() {
    let plans = (0..<2).map { _ in
      SoakPlan(seed: 3, hours: 12, isFull: false, patience: Self.patience)
    }
    #expect("\(plans[0])" == "\(plans[1])")
    #expect(plans[0].incidents.count > 40)
  }

  @Test func `Every fault of the simulator that ends is among those that happen`() {
    // One is there from the start, one is a refusal, which a client must not overrule, and for bars
    // nobody asks in a soak.
    let others: Set = ["expiry", "refuse-subscriptions", "history"]
    let names = SoakFaultKind.all.map(\.name)
    #expect(Set(Fault.names).subtracting(others).isSubset(of: names))
    #expect(Set(names).count == names.count)
  }

  @Test func `The time that is allowed follows from the configuration`() {
    var stream = StreamConfiguration()
    stream.longestRetryDelay = .seconds(300)
    let patient = SoakPatience(stream, IbkrConfiguration(), subscriptions: 11)
    #expect(patient.ceiling == .seconds(300))
    #expect(Self.patience.ceiling == .seconds(60))
    #expect(Self.patience.notice(.told) == .zero)
    #expect(Self.patience.notice(.noHeartbeat) == stream.heartbeatTimeout)
  }
}
