// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// The one owner of a session's state: decides what to ask the server, when, and when to connect.
///
/// It climbs a ladder: login, brokerage session, account data, cookie, socket. Whatever breaks a
/// rung makes it climb again from there, for ever and with growing pauses. Statuses come from three
/// sides: `sts` on the socket (complete once, then only what changed), `auth/status` and `tickle`.
/// A lost authentication is told; its return often is not (protocol reference 7.2, number 14), so
/// REST is asked while it is away.
///
/// A value without I/O and without a clock. At most one call is under way at a time: ``next(at:)``
/// gives it, ``answered(_:at:)`` or ``refused(_:_:at:)`` takes what became of it.
struct SessionSupervisor: Sendable {
  /// A request to the REST side.
  enum Call: Hashable, Sendable {
    /// A live session token: the login of OAuth.
    case generateToken
    /// `iserver/auth/status`
    case status
    /// `iserver/auth/ssodh/init`
    case openSession(compete: Bool)
    /// `iserver/accounts`, without which there is no market data.
    case accounts
    /// `tickle`, which also gives the socket's cookie.
    case tickle
  }

  /// What a call brought.
  enum Answer: Sendable {
    /// A token that lives for so many nanoseconds, nil if that is not known.
    case token(lifetime: Int64?)
    case status(SessionState)
    case opened(SessionState)
    case accounts
    /// A digest of the session, and its status.
    case tickle(session: UInt64, SessionState)
  }

  /// Why a call brought nothing.
  enum Refusal: Hashable, Sendable {
    /// 401, or words to that effect: this rung is gone.
    case unauthorized
    /// 410: the server has given the login up.
    case gone
    /// 429, with the nanoseconds of `Retry-After`.
    case limited(retryAfter: Int64?)
    /// No answer, or none that says anything about the session.
    case unanswered
  }

  /// What is to be done.
  enum Action: Equatable, Sendable {
    /// The server has greeted: commands reach it now.
    case greeted
    /// The state is another one.
    case changed(SessionState)
    /// The server asks for the session.
    case sendSession
    /// Data has stopped, although the connection stands.
    case suspended(GapReason, String)
    /// Only a new connection helps.
    case reconnect(GapReason, String)
    /// There is no connection, and the next attempt begins after so many nanoseconds.
    case failed(ConnectionLoss, retryAfter: Int64)
  }

  /// Who logs in: a person at a gateway, or this program.
  enum Login: Sendable { case gateway, oauth }

  /// How a session is to be kept.
  struct Rules: Sendable {
    var login = Login.gateway
    var compete = CompetePolicy.never
    var calendar = MaintenanceCalendar(region: .america)
    /// Which requests are made without being asked for.
    var generatesToken = true
    var opensSession = true
    var tickles = true
    /// Between two tickles while all is well.
    var tickleInterval: Int64 = 60_000_000_000
    /// Between two attempts to connect.
    var retryDelay = Duration.seconds(1)...Duration.seconds(60)
    /// How long a session that cannot be used is waited for before the first greeting; nil for ever.
    var patience: Int64? = 60_000_000_000
    /// Where the server is.
    var place = ""
  }

  enum Link: Sendable { case none, opening, open, greeted }

  enum Token: Sendable {
    case missing
    case held(renewAt: Int64?)
  }

  /// The last fault of which nothing good has been heard since.
  struct Trouble: Sendable {
    let words: String
    let remedy: String?
  }

  /// `tickle` may be called once a second (protocol reference 3.8).
  static let tickleSpacing: Int64 = 1_000_000_000
  /// After this many calls in vain `ssodh/init` alone does not help (protocol reference 7.2,
  /// number 17).
  static let openingsPerLogin = 3

  let rules: Rules
  var random: Jitter

  var flags = SessionState()
  /// The state as it was told last.
  private(set) var state = SessionState()

  var link = Link.none
  var token = Token.missing
  var trouble: Trouble?

  /// What this attempt to connect has so far.
  var isAttempting = false
  var hasStatus = false
  var hasAccounts = false
  var hasCookie = false
  /// Attempts since the last greeting.
  private(set) var attempt = 0

  /// What this connection has had so far.
  var isConfirmed = false
  /// Whether the subscriptions are gone, or mute, because the session was away meanwhile.
  var isStale = false
  /// Whether we end the connection ourselves, to make a better one.
  var isReplacing = false
  var hasSentSession = false
  var handshakeSession: UInt64?
  var lastSession: UInt64?

  var inFlight: Call?
  /// The status has to be asked for at once.
  var mustAsk = false
  var notBefore = Int64.min
  var nextPoll = Int64.min
  var nextOpening = Int64.min
  var nextCompeting = Int64.min
  var nextTickle = Int64.min
  /// How long the machine has slept so far.
  private var suspension: Int64?
  var lastTickle: Int64?

  var hasBeenReady = false
  var hasCompeted = false
  /// Calls of `ssodh/init` that did not help, failed attempts, logins lost, refusals for haste: each
  /// since the session was ready.
  var openings = 0
  var failures = 0
  var stumbles = 0
  var limits = 0
  var unusableSince: Int64?

  var backoff: Backoff
  var retries = Backoff(base: .seconds(5), ceiling: .seconds(60))
  var slowPolls = Backoff(base: .seconds(20), ceiling: .seconds(60))
  var quickPolls = Backoff(base: .seconds(1), ceiling: .seconds(10))

  init(_ rules: Rules, random: Jitter) {
    self.rules = rules
    self.random = random
    backoff = Backoff(base: rules.retryDelay.lowerBound, ceiling: rules.retryDelay.upperBound)
    if rules.login == .gateway { token = .held(renewAt: nil) }
  }

  /// Whether feeds of the brokerage session can be asked for.
  var isUsable: Bool { link == .greeted && isConfirmed && !isStale && flags.isReady }

  /// Whether the server has greeted on this connection.
  var isGreeted: Bool { link == .greeted }

  /// Whether the socket can be opened, with the cookie of the last tickle.
  var isAdmitted: Bool {
    guard link == .none, inFlight == nil, case .held = token else { return false }
    return hasStatus && flags.isReady && hasAccounts && hasCookie
  }

  /// Takes the next call, if its time has come.
  mutating func next(at now: Timestamp) -> Call? {
    noteSuspension(at: now)
    guard let wish, wish.due <= now.monotonic else { return nil }
    inFlight = wish.call
    if wish.call == .tickle { lastTickle = now.monotonic }
    if link == .none, !isAttempting {
      isAttempting = true
      attempt += 1
    }
    return wish.call
  }

  /// A token ages while the machine sleeps, and the monotonic clock stands still.
  private mutating func noteSuspension(at now: Timestamp) {
    let slept = now.boot - now.monotonic
    defer { suspension = slept }
    guard let suspension, slept > suspension, case .held(let renewAt?) = token else { return }
    token = .held(renewAt: renewAt - (slept - suspension))
  }

  /// When ``next(at:)`` has something; nil while only an answer or the socket can change that.
  var deadline: Int64? { wish?.due }

  /// Changes something, and tells what follows from it.
  mutating func change(at now: Timestamp, _ body: (inout Self) -> [Action]) -> [Action] {
    let (wasUsable, wasReady) = (isUsable, flags.isReady)
    var actions = body(&self)
    let isLost = wasUsable && !isUsable && link == .greeted
    if isLost { isStale = true }
    let isBack = link == .greeted && isStale && flags.isReady && !wasReady
    if isUsable { settle() }
    let next = describe(at: now)
    if next != state {
      state = next
      actions.append(.changed(next))
    }
    if isLost {
      actions.append(
        flags.competing == true
          ? .suspended(.competing, "another login has taken the session")
          : .suspended(lossReason(.auth, at: now), "the session is no longer authenticated")
      )
    }
    if isBack { actions.append(replace("the session is back")) }
    return actions
  }

  /// The connection has to be another one.
  mutating func replace(_ words: String) -> Action {
    isReplacing = true
    return .reconnect(.auth, words)
  }

  /// All is well: whatever has grown starts again.
  private mutating func settle() {
    hasBeenReady = true
    (openings, failures, stumbles) = (0, 0, 0)
    unusableSince = nil
    slowPolls.reset()
    quickPolls.reset()
  }

  /// A connection was good: attempts are counted anew after it.
  mutating func resetAttempts() {
    attempt = 0
    backoff.reset()
  }
}
