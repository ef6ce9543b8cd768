// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR
import OAuth1a

/// A scenario: what goes wrong at the server, and what must have come of it at the client.
struct Trial: Sendable {
  /// What the client talks to.
  enum Server: String, Sendable { case oauth, gateway }

  /// Something that happens on the client's machine.
  enum Act: Sendable, Hashable {
    /// The time of day is set.
    case setClock(by: Duration)
    /// The machine sleeps; its monotonic clock stands still meanwhile.
    case sleep(for: Duration)
    /// Every connection is reset: what was under way is lost. In memory only.
    case reset
    /// No name can be looked up.
    case namesGone(for: Duration, ScriptedResolver.Outage)
  }

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
  var readyBy: Duration
  /// Why data was missing, gap by gap.
  var gaps: [GapReason] = []
  /// Whether each of these reasons may come more than once, as chance has it.
  var gapsRepeat = false
  /// What else must have come of it.
  var expects: [Expectation] = []

  /// What the client subscribes to.
  var feeds: [WantedFeed] = [.quotes(265_598), .quotes(272_093)]
  /// Whether quotes must come in the last 20 s.
  var endsWithQuotes = true
  /// What happens on the client's machine, and when.
  var acts: [(act: Act, after: Duration)] = []
  /// Subscribers beside the one that sees everything.
  var listeners: [ListenerPlan] = []
  /// Changes of each instrument in a second; nil for what the gateway does.
  var rate: Double?
  /// How many times a `tic` is answered.
  var ticAnswers = 1
  /// How it goes over TLS in real time; nil if it does not.
  var live: Live?

  /// The same over TLS in real time, where nobody wants to wait for minutes.
  struct Live: Sendable {
    let events: [Scenario.Event]
    var acts: [(act: Act, after: Duration)] = []
    var duration = Duration.seconds(12)
    /// What must have come of it, where that is something else.
    var expects: [Expectation]?
    /// How often the server speaks, and after how long a silence the client gives up.
    var heartbeat = Duration.seconds(10)
    var heartbeatTimeout = Duration.seconds(30)
  }

  /// Thursday 2026-04-30, 08:00 in New York: in no window of maintenance.
  static let noon: Int64 = 1_777_550_400
  /// The same day, 23:58 in New York.
  static let beforeMidnight: Int64 = 1_777_607_880
}

extension Trial {
  /// Whether the unit tests play it as well, which also run under the sanitizers.
  var isRepresentative: Bool {
    if case .numbered = feeds.first { return false }
    return live != nil || !listeners.isEmpty || gaps.contains(.silence)
      || feeds != [.quotes(265_598), .quotes(272_093)]
  }

  /// A scenario against a client at a gateway.
  ///
  /// - Parameters:
  ///   - scenario: What goes wrong, and when.
  ///   - duration: How long it takes in all.
  ///   - readyBy: When it must be ready again at the latest, and stay so.
  ///   - gaps: Why data was missing, gap by gap.
  ///   - gapsRepeat: Whether each of these reasons may come more than once.
  ///   - expects: What else must have come of it.
  ///   - change: What else is to be different.
  init(
    _ scenario: Scenario,
    duration: Duration = .seconds(300),
    readyBy: Duration = .seconds(10),
    gaps: [GapReason] = [],
    gapsRepeat: Bool = false,
    _ expects: [Expectation],
    _ change: (inout Trial) -> Void = { _ in }
  ) {
    self.init(
      name: scenario.name,
      summary: scenario.summary,
      server: .gateway,
      events: scenario.events,
      duration: duration,
      readyBy: readyBy,
      gaps: gaps,
      gapsRepeat: gapsRepeat,
      expects: expects
    )
    change(&self)
  }
}

extension Scenario {
  /// A scenario of the simulator's list.
  static func listed(_ name: String) -> Scenario {
    named(name) ?? Scenario(name: name, summary: Self.unlisted, events: [])
  }

  /// What a name that stands in no list is said to do; a test makes sure that there is none.
  static let unlisted = "is in no list"

  /// Something that happens to a client whose server has nothing to do with it.
  static func aside(_ name: String, _ summary: String, _ events: [Event] = []) -> Scenario {
    Scenario(name: name, summary: summary, events: events)
  }
}

/// A feed that a trial's client subscribes to.
enum WantedFeed: Sendable, Hashable {
  case quotes(Int, exchange: String? = nil)
  /// So many instruments that exist in the simulator only.
  case numbered(Int)
  case trades, orders, profitAndLoss, summary, ledger

  /// Subscribes.
  func want(of stream: IbkrWsClient) async throws {
    // The simulated user's.
    let account = Secret("DU1234567")
    switch self {
    case .quotes(let conid, let exchange):
      try await stream.want(.marketData(conid: conid, exchange: exchange))
    case .numbered(let count):
      for number in 0..<count {
        let conid = GatewaySimulatorConfiguration.firstNumberedInstrument + number
        try await stream.want(.marketData(conid: conid))
      }
    case .trades: try await stream.want(.trades())
    case .orders: try await stream.want(.orders())
    case .profitAndLoss: try await stream.want(.profitAndLoss())
    case .summary: try await stream.want(.accountSummary(account: account))
    case .ledger: try await stream.want(.accountLedger(account: account))
    }
  }
}

/// Scenarios that belong together, under a name for the command line.
struct Family: Sendable {
  let name: String
  let trials: [Trial]

  /// All families.
  static let all = [session, stream]
}
