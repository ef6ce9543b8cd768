// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// What the server has said about the session, and what follows from it.
///
/// Statuses come from three sides: `sts` on the socket (complete once, then only what changed),
/// `auth/status` and `tickle` by REST. A lost authentication is told; its return often is not
/// (protocol reference 7.2, number 14), so REST is asked while it is away.
struct SessionMachine: Sendable {
  /// What is to be done.
  enum Action: Equatable, Sendable {
    /// The server has greeted: commands reach it now.
    case greeted
    /// The merged state is another one.
    case changed(SessionState)
    /// The server asks for the session.
    case sendSession
    /// Data has stopped, although the connection stands.
    case suspended(GapReason, String)
    /// Only a new connection helps.
    case reconnect(GapReason, String)
  }

  private(set) var state = SessionState()
  private(set) var isGreeted = false
  private var hasBeenReady = false
  private var hasSentSession = false
  private var handshakeSession: UInt64?

  /// Whether feeds of the brokerage session may be asked for.
  var isReady: Bool { isGreeted && state.isReady }

  /// A new connection begins: what the old one said does not count.
  ///
  /// - Parameter session: A digest of the session that the handshake carries.
  mutating func connect(session: UInt64?) {
    self = SessionMachine()
    handshakeSession = session
  }

  /// A message about the session came.
  mutating func receive(_ topic: Topic, _ message: JSONValue) -> [Action] {
    switch topic {
    case .system:
      guard !isGreeted, message["success"] != nil else { return [] }
      isGreeted = true
      return [.greeted] + update { $0.isWaitingForSession = false }
    case .waitingForSession:
      let changes = update { $0.isWaitingForSession = true }
      defer { hasSentSession = true }
      return hasSentSession ? changes : changes + [.sendSession]
    case .status:
      guard let arguments = message["args"] else { return [] }
      return merge(SessionState(answer: arguments))
    default:
      return []
    }
  }

  /// A status came: `sts`, `auth/status`, or the part of `tickle` that is the same.
  ///
  /// - Parameter status: What it says; nil for what it does not.
  /// - Returns: What follows.
  mutating func merge(_ status: SessionState) -> [Action] {
    update { state in
      // A key that is missing says nothing (protocol reference 4.4).
      state.connected = status.connected ?? state.connected
      state.authenticated = status.authenticated ?? state.authenticated
      state.established = status.established ?? state.established
      state.competing = status.competing ?? state.competing
      if !status.failure.isEmpty { state.failure = status.failure }
    }
  }

  /// A tickle named this session.
  ///
  /// - Parameter session: A digest of it.
  /// - Returns: A new connection, if the session is another one than the handshake's.
  mutating func tickled(session: UInt64) -> [Action] {
    guard let handshakeSession, handshakeSession != session else { return [] }
    self.handshakeSession = session
    return [.reconnect(.auth, "the session has been replaced by a new one")]
  }

  private mutating func update(_ change: (inout SessionState) -> Void) -> [Action] {
    let before = state
    let wasReady = isReady
    change(&state)
    var actions: [Action] = state == before ? [] : [.changed(state)]
    if isReady, !wasReady {
      // Whoever was away comes back without the old subscriptions: they are gone, or mute.
      if hasBeenReady { actions.append(.reconnect(.auth, "the session is back")) }
      hasBeenReady = true
    } else if wasReady, !isReady {
      actions.append(
        state.competing == true
          ? .suspended(.competing, "another login has taken the session")
          : .suspended(.auth, "the session is no longer authenticated")
      )
    }
    return actions
  }
}
