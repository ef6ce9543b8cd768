// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// How long a client may take until all is well again, computed from its configuration.
struct SoakPatience: Sendable {
  private let stream: StreamConfiguration
  private let client: IbkrConfiguration
  private let subscriptions: Int

  init(_ stream: StreamConfiguration, _ client: IbkrConfiguration, subscriptions: Int) {
    self.stream = stream
    self.client = client
    self.subscriptions = subscriptions
  }

  /// The ceiling of the back-off: the longest pause between two attempts, of whatever kind.
  var ceiling: Duration { max(stream.longestRetryDelay, .seconds(60)) }

  /// An attempt that was under way when the fault ended, and runs into its own time limit.
  var lostAttempt: Duration {
    max(client.requestTimeout, stream.connectTimeout + stream.greetingTimeout)
  }

  /// An attempt that meets no fault: the longest pause between two looks at a session that is being
  /// opened, twenty commands a second, and the answers; orders have none, and are waited for.
  var goodAttempt: Duration {
    .seconds(10) + .milliseconds(50) * subscriptions + stream.subscriptionTimeout + .seconds(5)
  }

  /// How long after a fault something can still come of it that no fault is needed for: until the
  /// next tickle, and a good attempt.
  var settling: Duration { notice(.answer) + goodAttempt }

  /// How long a fault can last, or be over, without the client knowing.
  func notice(_ sign: SoakFault.Sign) -> Duration {
    switch sign {
    case .told: .zero
    case .noHeartbeat: stream.heartbeatTimeout
    case .answer: client.ticklerInterval + client.requestTimeout
    case .silence: stream.renewalInterval + stream.subscriptionTimeout
    case .pause(let pause): pause
    }
  }

  /// The time from the end of an incident's last fault until all has to be well.
  func limit(after incident: SoakPlan.Incident) -> Duration {
    let slowest = incident.faults.map { notice($0.fault.sign) }.max() ?? .zero
    return slowest + ceiling + lostAttempt + goodAttempt
  }
}
