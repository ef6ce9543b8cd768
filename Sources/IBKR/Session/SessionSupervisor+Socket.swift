// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import JSON

extension SessionSupervisor {
  /// The socket is being opened, with the cookie of the last tickle.
  mutating func connecting() {
    link = .opening
    handshakeSession = lastSession
    (isConfirmed, isStale, hasSentSession) = (false, false, false)
    flags.isWaitingForSession = false
  }

  /// The socket is open, and the server has said nothing yet.
  mutating func opened() { link = .open }

  /// The socket is gone, or could not be opened.
  mutating func disconnected(_ loss: ConnectionLoss, at now: Timestamp) -> [Action] {
    if link == .greeted { resetAttempts() }
    link = .none
    return change(at: now) { $0.fail(loss, at: now) }
  }

  /// A message about the session came.
  mutating func receive(
    _ topic: Topic,
    _ message: JSONValue,
    at now: Timestamp
  ) -> [Action] {
    change(at: now) { $0.take(topic, message, at: now) }
  }

  private mutating func take(
    _ topic: Topic,
    _ message: JSONValue,
    at now: Timestamp
  ) -> [Action] {
    switch topic {
    case .system:
      guard link == .open, message["success"] != nil else { return [] }
      link = .greeted
      flags.isWaitingForSession = false
      // `sts` follows at once; REST is asked if it does not.
      nextPoll = now.monotonic + 10_000_000_000
      return [.greeted]
    case .waitingForSession:
      flags.isWaitingForSession = true
      defer { hasSentSession = true }
      return hasSentSession ? [] : [.sendSession]
    case .status:
      guard let arguments = message["args"] else { return [] }
      merge(SessionState(answer: arguments))
      isConfirmed = isConfirmed || flags.authenticated != nil
      // What the socket says is checked before anything is done about it.
      if link == .greeted, !flags.isReady { mustAsk = true }
      return []
    default:
      return []
    }
  }

  // MARK: - In words

  /// What a loss is called: in a window it is IBKR's.
  func lossReason(_ reason: GapReason, at now: Timestamp) -> GapReason {
    switch reason {
    case .auth, .disconnect, .silence:
      rules.calendar.window(at: now.realtime) == nil ? reason : .maintenance
    default: reason
    }
  }

  /// The state for everybody else.
  func describe(at now: Timestamp) -> SessionState {
    var state = flags
    if isUsable {
      state.phase = trouble == nil ? .ready : .degraded
      state.reason = trouble?.words ?? ""
      state.remedy = trouble?.remedy
    } else if flags.competing == true {
      state.phase = .competing
      state.reason = "another login of the same user name holds the brokerage session"
      state.remedy =
        "end the other one (TWS, mobile, Client Portal, another program); with the policy to "
        + "compete always it would be thrown out"
    } else if let window = rules.calendar.window(at: now.realtime), isStruggling {
      state.phase = .maintenance
      state.reason = window
    } else {
      describeLadder(&state)
    }
    return state
  }

  private func describeLadder(_ state: inout SessionState) {
    let login = "log in at \(rules.place) in a browser on the gateway's machine"
    if rules.login == .gateway, flags.connected == false, flags.authenticated != true {
      state.phase = .loggedOut
      state.reason = "nobody is logged in at the gateway"
      state.remedy = login
    } else if let trouble {
      if case .missing = token { state.phase = .loggedOut } else { state.phase = .degraded }
      state.reason = trouble.words
      state.remedy = trouble.remedy
    } else if case .missing = token {
      state.phase = .loggedOut
      state.reason = "there is no live session token"
      state.remedy = rules.generatesToken ? nil : "call generateLiveSessionToken()"
    } else if flags.authenticated == nil, rules.login == .gateway {
      state.phase = nil
    } else if flags.authenticated != true {
      state.phase = rules.login == .oauth ? .liveSessionToken : .brokerageSession
      state.reason = "the brokerage session is not open"
      if rules.login == .gateway, openings >= Self.openingsPerLogin { state.remedy = login }
      if !rules.opensSession { state.remedy = "call initializeBrokerageSession()" }
    } else if flags.established == false {
      state.phase = .brokerageSession
      state.reason = "the account's data is being loaded"
    } else {
      state.phase = .established
    }
  }

  /// Whether something is away that was there, or does not come.
  private var isStruggling: Bool {
    trouble != nil || openings > 0 || hasBeenReady && !flags.isReady
  }
}
