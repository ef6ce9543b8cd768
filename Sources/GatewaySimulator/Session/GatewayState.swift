// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// What all sockets and all requests of one simulated gateway share.
struct GatewayState: Sendable {
  /// What can be set once, at the start.
  struct Options: Sendable {
    var seed: UInt64 = 1
    var pace = Market.Pace.natural
    /// How many times a `tic` is answered; one live gateway was seen to do it four times.
    var ticAnswers = 1
    /// How long the gateway needs to reach its own server; commands before that are lost.
    var upstreamDelay: Int64 = 120_000_000
    /// How long the first image of an instrument takes.
    var imageDelay: Int64 = 200_000_000
    /// The distance of the heartbeats.
    var heartbeat: Int64 = 10_000_000_000
    var catalogue = InstrumentCatalogue.standard
    /// Who may log in by OAuth; nil for a gateway, at which a person has logged in.
    var user: SimulatedUser?
    /// How long a live session token lives.
    var tokenLifetime: Int64 = 86_400_000_000_000
    /// How long account data takes to load after `ssodh/init`.
    var establishDelay: Int64 = 1_000_000_000
    var pacing = Pacing.unlimited
    /// How many minutes of what was traded are kept of each instrument: a day and more.
    var tradedMinutes = 1_600
    /// Whether market data comes from a recording.
    var playsRecording = false
  }

  let options: Options
  let account = Account()
  var login: LoginState
  var market: Market
  /// What was traded, by the minute.
  var traded: TradedBars
  /// The number of the last answer about history.
  var lastHistory = 20_962_327
  /// What a recording that is played has said so far.
  var playback = Playback()
  /// Checks signatures where there is no gateway that would have a login of its own.
  var gate: OAuthGate?
  /// Data stops while heartbeats go on.
  var dataPaused = false
  /// Heartbeats stop while data goes on.
  var heartbeatsPaused = false
  /// How messages come otherwise than they should.
  var distortion: Distortion?
  /// How long a subscription to market data lives; nil for ever.
  var subscriptionLifetime: Int64?
  /// Until when subscribing to market data gets no answer, or an error.
  var ignoresSubscriptionsUntil = Int64.min
  var refusesSubscriptionsUntil = Int64.min
  /// The clocks at the last look at them.
  var now: Timestamp
  /// Nothing is sent at all, though the sockets stay open.
  var silent = false
  /// What is wrong with the REST side at present.
  var troubles = Troubles()
  /// Counts requests where the limits are enforced.
  var pacing: PacingGuard
  /// Whether `iserver/accounts` was asked for, without which there are no snapshots.
  var hasListedAccounts = false
  /// The underlyings that were searched for by symbol: of their derivatives the server tells.
  var searched: Set<Int> = []
  /// What the account has traded.
  var blotter = Blotter()
  /// The server id of each stream that a snapshot opened.
  var snapshots: [Int: String] = [:]
  private var serverIDs = 0
  private var random: SplitMix64

  init(_ options: Options, at now: Timestamp) {
    self.options = options
    self.now = now
    market = Market(seed: options.seed, pace: options.pace)
    traded = TradedBars(minutes: options.tradedMinutes)
    random = SplitMix64(seed: options.seed, stream: 0)
    login = LoginState(session: "")
    pacing = PacingGuard(options.pacing)
    gate = options.user.map { OAuthGate($0, lifetime: options.tokenLifetime / 1_000_000) }
    if gate != nil { logOut() }
    renewSession()
  }

  /// Whether market data flows.
  var deliversData: Bool {
    login.authenticated && !login.competing && !dataPaused && !silent
  }

  /// The id of the next subscription.
  mutating func takeServerID() -> String {
    defer { serverIDs += 1 }
    return "q\(serverIDs)"
  }

  /// Ends the login, as `logout` does it.
  mutating func logOut() {
    login.connected = false
    login.authenticated = false
    gate?.endSession()
  }

  /// Begins another login, which has no brokerage session yet.
  mutating func logIn() {
    renewSession()
    login.connected = true
    login.authenticated = false
  }

  /// Opens the brokerage session, as `ssodh/init` does it.
  ///
  /// Another login keeps it unless the request wants to compete for it.
  mutating func openBrokerageSession(competing: Bool, at time: Int64) {
    guard !login.authenticated, time >= troubles.maintenanceUntil else { return }
    guard competing || !login.competing else { return }
    login.competing = false
    login.authenticated = true
    login.establishesAt = max(login.establishesAt, time + options.establishDelay)
  }

  /// Closes the streams that snapshots opened.
  mutating func endSnapshots() {
    for conid in snapshots.keys { market.unwatch(conid) }
    snapshots.removeAll()
  }

  /// Gives the login another session id.
  mutating func renewSession() {
    let digits = [random.next(), random.next()].map { number in
      let text = String(number, radix: 16)
      return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
    login.session = digits.joined()
  }
}

extension Timestamp {
  /// The realtime clock in Unix milliseconds when the monotonic clock stood at `monotonic`.
  func milliseconds(at monotonic: Int64) -> Int64 {
    (realtime - (self.monotonic - monotonic)) / 1_000_000
  }

  /// The realtime clock in Unix milliseconds.
  var milliseconds: Int64 { realtime / 1_000_000 }
}
