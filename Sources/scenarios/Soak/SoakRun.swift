// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import IBKR
import Logging
import OAuth1a
import Transport

/// The client and the simulator through the hours of one seed, on one loop with virtual time.
struct SoakRun: Sendable {
  let plan: SoakPlan
  let patience: SoakPatience
  /// Who may log in where OAuth is spoken.
  let user: SimulatedUser
  let instruments: Int
  /// Whether everything but quotes is printed.
  let isTalking: Bool

  /// Runs it from the start of the client to its end.
  ///
  /// - Returns: What was seen.
  /// - Throws: If the loop, the simulator or the client cannot be made.
  func run() async throws -> SoakResult {
    let start = Timestamp(
      realtime: plan.clock * 1_000_000_000,
      monotonic: 1_000_000_000,
      boot: 1_000_000_000
    )
    let loop = try EventLoop(virtual: start, advance: .onDemand)
    defer { loop.stop() }
    // Everything lives on the loop, this task too: so the same seed gives the same run.
    let task = Task(executorPreference: loop) { try await drive(loop) }
    return try await task.value
  }

  private func drive(_ loop: EventLoop) async throws -> SoakResult {
    let rig = try await SoakRig(
      plan,
      user: user,
      instruments: instruments,
      isTalking: isTalking,
      on: loop
    )
    var result = SoakResult()
    var shopper: Task<Void, Never>?
    var incidents = plan.incidents[...]
    try await pass(to: .seconds(60), rig)
    if !(await rig.isWell) { result.fail("not all active a minute after the start") }
    for (hour, activity) in plan.activities.enumerated() {
      await rig.simulator.setPace(activity.distances)
      shopper?.cancel()
      await shopper?.value
      shopper = rig.shop(hour)
      let end = Duration.seconds(3_600 * (hour + 1))
      // One that goes on into the next hour puts off what is due at its beginning.
      while let incident = incidents.first, incident.start < end {
        try await pass(to: incident.start, rig)
        try await go(through: incident, rig, &result)
        incidents.removeFirst()
      }
      try await pass(to: end, rig)
      let requests = await rig.simulator.takeRequests()
      result.requests += requests.count
      let vitals = Vitals.now()
      if isTalking {
        for request in requests where request.status == 429 {
          print("--- at \(request.milliseconds) ms answered 429: \(request.method) \(request.path)")
        }
        print("--- after hour \(hour + 1): \(vitals)")
      }
      result.vitals.append(vitals)
    }
    shopper?.cancel()
    await shopper?.value
    try await rig.end(&result)
    return result
  }

  /// Lets virtual time pass up to a time after the start.
  private func pass(to time: Duration, _ rig: SoakRig) async throws {
    let rest = time - rig.elapsed
    await rig.pass(rest)
  }

  /// Lets everything of an incident happen, and waits until all is well again.
  private func go(
    through incident: SoakPlan.Incident,
    _ rig: SoakRig,
    _ result: inout SoakResult
  ) async throws {
    // The hour's guest may just be asking.
    var waited = 0
    while !(await rig.isWell), waited < 5 {
      waited += 1
      try await pass(to: rig.elapsed + .seconds(1), rig)
    }
    if !(await rig.isWell) {
      result.fail("not well before \(incident.name) at \(incident.start): \(await rig.condition)")
    }
    if let gap = await rig.witness.lastGap,
      Duration.nanoseconds(gap.stamp.monotonic - rig.start) > result.excusedUntil
    {
      result.fail("a gap without a fault before \(incident.start): \(gap.detectedBy)")
    }
    if let gap = await rig.witness.lastCoincidence,
      Duration.nanoseconds(gap.stamp.monotonic - rig.start) > result.excusedUntil
    {
      result.coincidences += 1
    }
    await rig.judge(&result)
    var ends: [(at: Duration, fault: SoakFault)] = []
    for (after, fault) in incident.faults.sorted(by: { $0.after < $1.after }) {
      try await pass(to: incident.start + after, rig)
      if isTalking { print("--- \(fault.name) \(fault.cause) at \(rig.elapsed)") }
      await rig.begin(fault)
      ends.append((incident.start + after + fault.length, fault))
    }
    for (at, fault) in ends.sorted(by: { $0.at < $1.at }) {
      try await pass(to: at, rig)
      await rig.end(fault)
    }
    let end = incident.start + incident.length
    let limit = patience.limit(after: incident)
    var took = Duration.zero
    while !(await rig.isWell), took < limit {
      took += took < .seconds(120) ? .seconds(1) : .seconds(10)
      try await pass(to: end + took, rig)
    }
    // What the fault has left behind may show later, at the next tickle for instance.
    var later = max(took, min(limit, patience.settling))
    try await pass(to: end + later, rig)
    while !(await rig.isWell), later < limit {
      later += .seconds(10)
      took = later
      try await pass(to: end + later, rig)
    }
    if await rig.isWell {
      took = max(took, .nanoseconds(await rig.witness.since - rig.start) - end)
    } else {
      result.fail(
        "\(incident.name) at \(incident.start): not all active \(limit) after its end: "
          + "\(await rig.condition)"
      )
    }
    if took > limit { result.fail("\(incident.name) at \(incident.start): took \(took)") }
    result.recoveries.append(Recovery(incident, limit: limit, took: took))
    result.excusedUntil = end + limit
  }
}
