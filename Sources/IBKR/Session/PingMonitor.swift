// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Finds a connection that is broken without a word: after a silence it is pinged, and a ping has to
/// be answered.
///
/// The gateway answers pings itself, so that one is answered says nothing about IBKR; that is what
/// ``HeartbeatMonitor`` is for. Fed with monotonic times.
struct PingMonitor: Sendable {
  /// What is to be done.
  enum Action: Hashable, Sendable {
    /// Ping.
    case ping
    /// The connection is broken.
    case giveUp
  }

  /// After how long a silence to ping, in nanoseconds; nil for never.
  let interval: Int64?
  /// How long an answer may take, in nanoseconds.
  let patience: Int64

  private var lastHeard: Int64?
  private var pingedAt: Int64?

  init(interval: Duration?, patience: Duration) {
    self.interval = interval.map(\.nanoseconds)
    self.patience = patience.nanoseconds
  }

  /// Something came, or whatever comes is being read again.
  mutating func heard(at now: Int64) {
    lastHeard = now
    pingedAt = nil
  }

  /// There is no connection, or nothing of it is being read.
  mutating func stop() {
    lastHeard = nil
    pingedAt = nil
  }

  /// When ``act(at:)`` has something to say; nil for never.
  var deadline: Int64? {
    guard let lastHeard, let interval else { return nil }
    return pingedAt.map { $0 + patience } ?? lastHeard + interval
  }

  /// What is to be done now, nil for nothing.
  mutating func act(at now: Int64) -> Action? {
    guard let deadline, deadline <= now else { return nil }
    if pingedAt != nil {
      stop()
      return .giveUp
    }
    pingedAt = now
    return .ping
  }
}
