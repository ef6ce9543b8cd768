// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import Logging

/// What a person is told of a session: where it stands, why, and what to do.
struct SessionLine: Hashable {
  let phase: SessionPhase
  let text: String

  /// The line for a state; nil while nothing is known.
  init?(_ state: SessionState) {
    guard let phase = state.phase else { return nil }
    self.phase = phase
    var text = "session: \(phase.words)"
    if !state.reason.isEmpty { text += ": \(state.reason)" }
    if let remedy = state.remedy { text += "; to do: \(remedy)" }
    if state.isWaitingForSession { text += "; the server waits for a session" }
    self.text = text
  }

  /// How important it is.
  var level: Logger.Level {
    switch phase {
    case .ready, .established, .brokerageSession, .liveSessionToken: .info
    case .loggedOut, .degraded, .competing, .maintenance: .warning
    }
  }
}

extension SessionLine? {
  /// Takes another line.
  ///
  /// - Returns: Whether it is another one.
  mutating func replace(with line: SessionLine) -> Bool {
    defer { self = line }
    return self != line
  }
}

extension SessionPhase {
  /// The phase in words.
  fileprivate var words: String {
    switch self {
    case .loggedOut: "logged out"
    case .liveSessionToken: "logged in, no brokerage session yet"
    case .brokerageSession: "the brokerage session is being opened"
    case .established: "established"
    case .ready: "ready"
    case .degraded: "degraded"
    case .competing: "competing"
    case .maintenance: "maintenance"
    }
  }
}
