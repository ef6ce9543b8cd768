// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Decides when a connection has been silent for so long that it must be dead.
///
/// The server sends a heartbeat every 10 s through the whole path, so silence means loss and not a
/// quiet market (protocol reference 4.3). Measured on the monotonic clock: the server's own time in
/// the heartbeat says nothing about how long ago it came.
struct HeartbeatMonitor: Sendable {
  /// How long a silence may last, in nanoseconds.
  let limit: Int64

  private var lastHeard: Int64?
  private var pausedAt: Int64?

  init(limit: Duration = .seconds(30)) {
    self.limit = limit.nanoseconds
  }

  /// The greeting has come: from now on heartbeats are due.
  mutating func start(at now: Int64) {
    lastHeard = now
    pausedAt = nil
  }

  /// Something came from the server.
  mutating func heard(at now: Int64) {
    if lastHeard != nil { lastHeard = now }
  }

  /// The connection is gone; nothing is due.
  mutating func stop() {
    lastHeard = nil
    pausedAt = nil
  }

  /// We do not read, so we cannot hear.
  mutating func pause(at now: Int64) {
    if pausedAt == nil { pausedAt = now }
  }

  /// We read again: the time of the pause does not count.
  mutating func resume(at now: Int64) {
    if let pausedAt, let lastHeard { self.lastHeard = lastHeard + (now - pausedAt) }
    pausedAt = nil
  }

  /// When the silence will have lasted too long, nil if nothing is due.
  var deadline: Int64? {
    pausedAt == nil ? lastHeard.map { $0 + limit } : nil
  }

  /// Whether the connection must be given up.
  func isDead(at now: Int64) -> Bool {
    deadline.map { $0 <= now } ?? false
  }
}
