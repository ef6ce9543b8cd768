// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Recording

/// Everything that is known of a stream and its recorder at one moment, for people and machines.
struct StatusReport {
  let version: String
  let vitals: Vitals
  let symbols: [Int: String]
  let recorder: RecordingFigures?
  let verdict: HealthVerdict
  let now: Timestamp

  /// Seconds with milliseconds, exactly.
  static func seconds(_ nanoseconds: Int64) -> String {
    let milliseconds = nanoseconds / 1_000_000
    let rest = String(milliseconds.magnitude % 1_000)
    let sign = milliseconds < 0 ? "-" : ""
    return "\(sign)\(milliseconds.magnitude / 1_000)."
      + String(repeating: "0", count: 3 - rest.count) + rest
  }
}

extension SubscriptionState {
  /// The names of all states, as ``name`` gives them.
  static let names = ["pending", "requested", "active", "renewing", "stale", "failed"]

  /// The state in a word.
  var name: String {
    switch self {
    case .pending: "pending"
    case .requested: "requested"
    case .active: "active"
    case .renewing: "renewing"
    case .stale: "stale"
    case .failed: "failed"
    case .ended: "ended"
    }
  }
}
