// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

extension SessionSupervisor {
  /// Takes over from what has been done before.
  ///
  /// - Parameters:
  ///   - lifetime: How many nanoseconds of a live session token are left, nil if there is none.
  ///   - hasCompeted: Whether another login has been thrown out already.
  ///   - now: The time.
  /// - Returns: What follows.
  mutating func begin(
    tokenLifetime lifetime: Int64?,
    hasCompeted: Bool,
    at now: Timestamp
  ) -> [Action] {
    change(at: now) { machine in
      if let lifetime { machine.hold(lifetime: lifetime, at: now) }
      machine.hasCompeted = hasCompeted
      return []
    }
  }

  /// The call under way was answered.
  mutating func answered(_ answer: Answer, at now: Timestamp) -> [Action] {
    guard let call = inFlight.take() else { return [] }
    if case .openSession(compete: true) = call { competed(at: now) }
    return change(at: now) { $0.take(answer, at: now) }
  }

  /// The session was taken, or may have been.
  private mutating func competed(at now: Timestamp) {
    hasCompeted = true
    // Two programs with the same policy shall not do it more than once a minute.
    nextCompeting = now.monotonic + 60_000_000_000
  }

  private mutating func take(_ answer: Answer, at now: Timestamp) -> [Action] {
    // What a new token is worth, the next status shows.
    if case .token = answer, link == .greeted {} else { trouble = nil }
    limits = 0
    if isUsable { retries.reset() }
    switch answer {
    case .token(let lifetime):
      hold(lifetime: lifetime, at: now)
      // The new login may have lost the brokerage session of the old one.
      mustAsk = link == .greeted
      hasStatus = false
      return []
    case .status(let status):
      if case .missing = token { token = .held(renewAt: nil) }
      mustAsk = false
      hasStatus = true
      let actions = judge(status, at: now)
      // An answer that says nothing is no good news.
      flags.authenticated = flags.authenticated ?? false
      return actions
    case .opened(let status):
      merge(status)
      if flags.authenticated != true || flags.competing == true {
        openings += 1
        nextOpening = now.monotonic + openingPause(at: now)
        renewLoginIfInVain(at: now)
      }
      return judge(SessionState(), at: now)
    case .accounts:
      hasAccounts = true
      return []
    case .tickle(let session, let status):
      nextTickle = now.monotonic + rules.tickleInterval
      // Without a word about the brokerage session there is the call for that alone.
      if !hasStatus, status.authenticated == nil { mustAsk = true }
      hasStatus = true
      let actions = judge(status, at: now)
      return actions + compare(session)
    }
  }

  /// A status came by REST.
  private mutating func judge(_ status: SessionState, at now: Timestamp) -> [Action] {
    merge(status)
    // Without a socket there is nothing that this could confirm.
    if link == .greeted, flags.authenticated != nil { isConfirmed = true }
    guard !flags.isReady else {
      unusableSince = nil
      return []
    }
    (hasAccounts, hasCookie) = (false, false)
    nextPoll = now.monotonic + pollPause(at: now)
    return loseHope(at: now)
  }

  /// A flag that is missing says nothing (protocol reference 4.4).
  mutating func merge(_ status: SessionState) {
    flags.connected = status.connected ?? flags.connected
    flags.authenticated = status.authenticated ?? flags.authenticated
    flags.established = status.established ?? flags.established
    flags.competing = status.competing ?? flags.competing
    if !status.failure.isEmpty { flags.failure = status.failure }
  }

  /// The session of a tickle: the cookie of the next connection, or a reason for one.
  private mutating func compare(_ session: UInt64) -> [Action] {
    lastSession = session
    guard link == .none else {
      guard link == .greeted, let handshakeSession, handshakeSession != session else { return [] }
      self.handshakeSession = session
      return [replace("the session has been replaced by a new one")]
    }
    hasCookie = flags.isReady
    return []
  }

  private mutating func hold(lifetime: Int64?, at now: Timestamp) {
    // A token of a day is renewed an hour before its end.
    let renewAt = lifetime.map { life in
      now.monotonic + max(life - min(life / 4, 3_600_000_000_000), 10_000_000_000)
    }
    token = .held(renewAt: renewAt)
  }

  /// With OAuth a new login may help where opening the session again and again does not.
  private mutating func renewLoginIfInVain(at now: Timestamp) {
    guard rules.login == .oauth, rules.generatesToken, flags.competing != true,
      rules.calendar.window(at: now.realtime) == nil,
      openings >= Self.openingsPerLogin, (openings - Self.openingsPerLogin) % 15 == 0
    else { return }
    token = .missing
  }

  /// Before the first greeting a session that cannot be used is waited for only so long.
  private mutating func loseHope(at now: Timestamp) -> [Action] {
    guard link == .none, !hasBeenReady, let patience = rules.patience else { return [] }
    let since = unusableSince ?? now.monotonic
    unusableSince = since
    // Where nobody is logged in at a gateway nothing will change by itself.
    let isHopeless =
      rules.login == .gateway && flags.connected == false && flags.authenticated != true
    guard isHopeless || now.monotonic - since >= patience else { return [] }
    unusableSince = nil
    let state = describe(at: now)
    let error = IbkrError(
      flags.competing == true ? .competing : .authentication,
      state.reason,
      at: rules.place,
      remedy: state.remedy
    )
    return fail(ConnectionLoss(error), at: now)
  }

  // MARK: - Refusals

  /// The call under way was not answered, or with a refusal.
  mutating func refused(
    _ refusal: Refusal,
    _ error: IbkrError,
    at now: Timestamp
  ) -> [Action] {
    guard let call = inFlight.take() else { return [] }
    return change(at: now) { $0.take(refusal, error, of: call, at: now) }
  }

  private mutating func take(
    _ refusal: Refusal,
    _ error: IbkrError,
    of call: Call,
    at now: Timestamp
  ) -> [Action] {
    switch refusal {
    case .limited(let retryAfter):
      return pause(limitPause(retryAfter: retryAfter), error, of: call, at: now)
    case .unanswered:
      // The server may have carried it out.
      if case .openSession(compete: true) = call { competed(at: now) }
      return pause(nil, error, of: call, at: now)
    case .unauthorized, .gone:
      if rules.login == .gateway { return loseLogin(of: call, error, at: now) }
      return loseRung(of: call, isGone: refusal == .gone, error, at: now)
    }
  }

  /// Something is wrong that says nothing about the session: it is left alone for a while.
  private mutating func pause(
    _ pause: Int64?,
    _ error: IbkrError,
    of call: Call,
    at now: Timestamp
  ) -> [Action] {
    guard link != .none else { return fail(ConnectionLoss(error), pause: pause, at: now) }
    let pause = pause ?? retries.next(using: &random).nanoseconds
    trouble = Trouble(words: error.what, remedy: error.remedy)
    notBefore = now.monotonic + pause
    if call == .generateToken, case .held = token {
      // The old one is still good, and needs its tickles meanwhile.
      token = .held(renewAt: notBefore + 60_000_000_000)
    }
    return []
  }

  /// Nobody is logged in at the gateway.
  private mutating func loseLogin(
    of call: Call,
    _ error: IbkrError,
    at now: Timestamp
  ) -> [Action] {
    // Below `iserver` a refusal speaks of the brokerage session alone.
    if call != .accounts { flags.connected = false }
    flags.authenticated = false
    mustAsk = false
    nextPoll = now.monotonic + pollPause(at: now)
    // The polls will show when somebody is.
    nextTickle = now.monotonic + rules.tickleInterval
    return link == .none ? fail(ConnectionLoss(error), at: now) : []
  }

  /// OAuth: what the call needed is gone, so the rung below is tried (protocol reference 3.9).
  private mutating func loseRung(
    of call: Call,
    isGone: Bool,
    _ error: IbkrError,
    at now: Timestamp
  ) -> [Action] {
    switch call {
    case .generateToken:
      // A new consumer key is not active for hours (protocol reference 7.2, number 24).
      return pause(retries.next(using: &random).nanoseconds, error, of: call, at: now)
    case .status where !isGone && rules.opensSession && flags.authenticated != false:
      // On this path a 401 speaks of the brokerage session.
      flags.authenticated = false
      hasStatus = true
      mustAsk = false
      nextPoll = now.monotonic + pollPause(at: now)
      return []
    case .accounts where !isGone:
      hasStatus = false
    default:
      token = .missing
      hasStatus = false
    }
    mustAsk = false
    stumbles += 1
    trouble = Trouble(words: error.what, remedy: error.remedy)
    // The first time may be an accident; from then on with pauses.
    if stumbles > 1 { notBefore = now.monotonic + retries.next(using: &random).nanoseconds }
    return []
  }

  /// An attempt to connect has failed.
  mutating func fail(
    _ loss: ConnectionLoss,
    pause: Int64? = nil,
    at now: Timestamp
  ) -> [Action] {
    (isAttempting, hasStatus, hasAccounts, hasCookie) = (false, false, false, false)
    mustAsk = false
    flags.isWaitingForSession = false
    failures += 1
    if !isReplacing { trouble = Trouble(words: loss.error.what, remedy: loss.error.remedy) }
    isReplacing = false
    var delay = pause ?? backoff.next(using: &random).nanoseconds
    if failures > 1, rules.calendar.window(at: now.realtime) != nil {
      delay = max(delay, slowPolls.next(using: &random).nanoseconds)
    }
    notBefore = now.monotonic + delay
    let named = ConnectionLoss(
      lossReason(loss.reason, at: now),
      loss.detectedBy,
      error: loss.error
    )
    return [.failed(named, retryAfter: delay)]
  }
}
