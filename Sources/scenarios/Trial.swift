// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR

/// A scenario: what goes wrong at the server, and what must have come of it at the client.
struct Trial: Sendable {
  /// What the client talks to.
  enum Server: String, Sendable { case oauth, gateway }

  /// The name, unique in its family.
  let name: String
  /// One line that says what happens.
  let summary: String
  var server = Server.oauth
  /// When it begins, in seconds since 1970.
  var clock = Self.noon
  /// What goes wrong, and when.
  let events: [Scenario.Event]
  /// What the client does about other logins; nil for its default.
  var compete: CompetePolicy?
  /// How long a live session token lives.
  var tokenLifetime = Duration.seconds(86_400)
  /// How long it takes in all.
  var duration = Duration.seconds(300)

  /// The phases that must be seen, in this order, others between them or not.
  var sees: [SessionPhase] = [.ready]
  /// The phases that must not be seen after the first time that all was ready.
  var avoids: Set<SessionPhase> = []
  /// When it must be ready again at the latest, and stay so.
  let readyBy: Duration
  /// Why data was missing, gap by gap.
  var gaps: [GapReason] = []

  /// Thursday 2026-04-30, 08:00 in New York: in no window of maintenance.
  static let noon: Int64 = 1_777_550_400
  /// The same day, 23:58 in New York.
  static let beforeMidnight: Int64 = 1_777_607_880
}

/// Scenarios that belong together, under a name for the command line.
struct Family: Sendable {
  let name: String
  let trials: [Trial]

  /// All families.
  static let all = [session]
}
