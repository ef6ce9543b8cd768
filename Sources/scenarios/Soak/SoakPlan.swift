// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator

/// What happens in the hours of one seed: how busy the market is, and what goes wrong when.
struct SoakPlan: Sendable {
  /// How often each instrument changes.
  enum Activity: String, Sendable, CaseIterable {
    case asleep, quiet, busy, full

    /// The distances of two changes.
    var distances: ClosedRange<Duration> {
      switch self {
      case .asleep: .seconds(300)...(.seconds(1_200))
      case .quiet: .seconds(10)...(.seconds(120))
      // What 25 busy stocks were seen to do, and the documented limit (protocol reference 4.9).
      case .busy: .milliseconds(500)...(.seconds(2))
      case .full: .milliseconds(500)...(.milliseconds(500))
      }
    }
  }

  /// Faults that overlap, or one alone.
  struct Incident: Sendable {
    /// The time after the start.
    let start: Duration
    /// Each with its time after the start of the incident.
    let faults: [(after: Duration, fault: SoakFault)]

    /// When the last of them is over, after the start of the incident.
    var length: Duration { faults.map { $0.after + $0.fault.length }.max() ?? .zero }

    var name: String { faults.count == 1 ? faults[0].fault.name : Self.several }

    /// The name of those with more than one fault.
    static let several = "several at once"
  }

  let seed: UInt64
  let server: Trial.Server
  /// When it begins, in seconds since 1970.
  let clock: Int64
  let activities: [Activity]
  let incidents: [Incident]

  /// Draws a plan.
  ///
  /// - Parameters:
  ///   - seed: Decides everything.
  ///   - hours: How long it takes.
  ///   - isFull: Whether every hour is as busy as can be.
  ///   - patience: How long the client may take to come back.
  init(seed: UInt64, hours: Int, isFull: Bool, patience: SoakPatience) {
    self.seed = seed
    var random = SplitMix64(seed: seed, stream: 77)
    server = seed.isMultiple(of: 2) ? .gateway : .oauth
    // Any minute of two weeks in which New York's clocks are not changed.
    clock = Trial.noon + 60 * random.next(in: 0...20_160)
    var activities: [Activity] = []
    for _ in 0..<hours {
      activities.append(isFull ? .full : random.pick(Activity.allCases))
    }
    self.activities = activities
    let kinds = SoakFaultKind.all.filter { [server] in $0.servers.contains(server) }
    var incidents: [Incident] = []
    var time = Duration.seconds(120)
    while true {
      time += .seconds(random.next(in: 10...600))
      let count = random.pick([1, 1, 1, 1, 1, 2, 2, 3])
      var faults: [(after: Duration, fault: SoakFault)] = []
      for index in 0..<count {
        let after = Duration.seconds(index == 0 ? 0 : random.next(in: 0...60))
        let kind = random.pick(kinds)
        faults.append((after, kind.make(using: &random)))
      }
      let incident = Incident(start: time, faults: faults)
      time += incident.length + patience.limit(after: incident)
      guard time < .seconds(3_600 * hours) else { break }
      incidents.append(incident)
    }
    self.incidents = incidents
  }
}
