// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How far a session has come, or what keeps it from being usable.
public enum SessionPhase: String, Sendable, Hashable, CaseIterable {
  /// Nobody is logged in: no live session token with OAuth, no person at the gateway.
  case loggedOut = "logged_out"
  /// OAuth: there is a live session token, but no brokerage session.
  case liveSessionToken = "live_session_token"
  /// The brokerage session is being opened, or loads the account's data.
  case brokerageSession = "brokerage_session"
  /// The brokerage session can be used; the socket is not ready yet.
  case established
  /// Everything works.
  case ready
  /// The server answers REST calls late, wrongly or not at all, or the socket is lost; quotes may
  /// still stream.
  case degraded
  /// Another login of the same user name holds the brokerage session.
  case competing
  /// The session is away in a window in which IBKR resets or maintains its servers.
  case maintenance
}
