// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator

/// Something that goes wrong during a soak, and is over after a while.
struct SoakFault: Sendable {
  /// What it is.
  enum Cause: Sendable {
    /// The server's own.
    case server(Fault)
    /// No connection can be made, and those that are open break.
    case unreachable
    /// Connections stay open and swallow everything; in the end they break.
    case stalled
    /// Every connection breaks.
    case reset
    /// Somebody sets the clock on the wall.
    case clockStep(Duration)
    /// The machine sleeps, and its connections are dead when it wakes.
    case suspension(Duration)
  }

  /// How the client can come to know of it.
  enum Sign: Sendable, Hashable {
    /// It is told, or the connection breaks.
    case told
    /// Heartbeats stop.
    case noHeartbeat
    /// Only an answer by REST shows it.
    case answer
    /// One subscription is silent; nothing else shows it.
    case silence
    /// The server has named a time before which nothing must be sent.
    case pause(Duration)
  }

  let name: String
  let cause: Cause
  /// How long it lasts; zero for what is over at once.
  var length = Duration.zero
  var sign = Sign.told
}

/// How faults of one kind are made.
struct SoakFaultKind: Sendable {
  typealias Maker = @Sendable (_ random: inout SplitMix64, _ length: Duration) -> SoakFault.Cause

  let name: String
  let servers: Set<Trial.Server>
  let lasts: Bool
  let sign: SoakFault.Sign
  private let cause: Maker

  private init(
    _ name: String,
    at servers: Set<Trial.Server> = [.oauth, .gateway],
    lasts: Bool = true,
    sign: SoakFault.Sign = .told,
    _ cause: @escaping Maker
  ) {
    self.name = name
    self.servers = servers
    self.lasts = lasts
    self.sign = sign
    self.cause = cause
  }

  /// Makes one of a random length, mostly short ones.
  func make(using random: inout SplitMix64) -> SoakFault {
    let longest: Int64 = random.pick([10, 60, 300])
    let length = lasts ? Duration.seconds(random.next(in: 1...longest)) : .zero
    var fault = SoakFault(name: name, cause: cause(&random, length), length: length, sign: sign)
    switch fault.cause {
    case .server(.tooManyRequests(_, let retryAfter)):
      // Without a word of the server the penalty box lasts a quarter of an hour.
      fault.sign = .pause(retryAfter ?? .seconds(900))
    default: break
    }
    return fault
  }
}

extension SoakFaultKind {
  /// All kinds: those of the simulator that end, and those of the network and the machine.
  static let all: [SoakFaultKind] =
    server + [
      SoakFaultKind("unreachable") { _, _ in .unreachable },
      SoakFaultKind("stalled-network") { _, _ in .stalled },
      SoakFaultKind("reset", lasts: false) { _, _ in .reset },
      SoakFaultKind("clock-step", lasts: false) { random, _ in
        .clockStep(.seconds(random.next(in: -600...600)))
      },
      SoakFaultKind("suspension", lasts: false) { random, _ in
        .suspension(.seconds(random.next(in: 3...3_600)))
      },
    ]

  private static let server: [SoakFaultKind] = [
    SoakFaultKind("drop-connections", lasts: false) { _, _ in .server(.dropConnections) },
    SoakFaultKind("close-connections", lasts: false) { random, _ in
      .server(.closeConnections(code: random.pick([1_000, 1_001, 1_006, 1_011])))
    },
    SoakFaultKind("refuse-connections") { .server(.refuseConnections(for: $1)) },
    SoakFaultKind("silence", sign: .noHeartbeat) { .server(.silence(for: $1)) },
    SoakFaultKind("half-open", sign: .noHeartbeat) { .server(.halfOpen(for: $1)) },
    SoakFaultKind("cut-connections", lasts: false) { _, _ in .server(.cutConnections) },
    SoakFaultKind("break-protocol", lasts: false) { random, _ in
      .server(.breakProtocol(random.pick(Breach.allCases)))
    },
    SoakFaultKind("distort") { random, length in
      .server(.distort(random.pick(Distortion.allCases), for: length))
    },
    SoakFaultKind("say", lasts: false) { random, _ in .server(.say(random.pick(Oddity.allCases))) },
    SoakFaultKind("flood", lasts: false) { _, _ in .server(.flood(messages: 2_000)) },
    SoakFaultKind("heartbeat-pause", sign: .noHeartbeat) { .server(.heartbeatPause(for: $1)) },
    SoakFaultKind("ignore-subscriptions", sign: .silence) {
      .server(.ignoreSubscriptions(for: $1))
    },
    SoakFaultKind("mute-instrument", lasts: false, sign: .silence) { random, _ in
      let conid = GatewaySimulatorConfiguration.firstNumberedInstrument
      return .server(
        .muteInstrument(conid: conid + Int(random.next(in: 0...4)), isDeaf: false)
      )
    },
    SoakFaultKind("data-pause", sign: .silence) { .server(.dataPause(for: $1)) },
    SoakFaultKind("expire-subscriptions", lasts: false, sign: .silence) { _, _ in
      .server(.expireSubscriptions)
    },
    SoakFaultKind("authentication-loss", sign: .answer) { random, length in
      .server(.authenticationLoss(for: length, announcesReturn: random.next(in: 0...1) == 1))
    },
    SoakFaultKind("brokerage-loss", lasts: false, sign: .answer) { random, _ in
      .server(.brokerageLoss(isAnnounced: random.next(in: 0...1) == 1))
    },
    SoakFaultKind("competing-login") { .server(.competingLogin(for: $1)) },
    SoakFaultKind("not-established", sign: .answer) { .server(.notEstablished(for: $1)) },
    SoakFaultKind("token-loss", at: [.oauth], lasts: false, sign: .answer) { _, _ in
      .server(.tokenLoss)
    },
    SoakFaultKind("new-session", lasts: false) { _, _ in .server(.newSession) },
    SoakFaultKind("login-loss", sign: .answer) { .server(.loginLoss(for: $1)) },
    SoakFaultKind("gone", sign: .answer) { .server(.gone(for: $1)) },
    SoakFaultKind("too-many-requests") { random, length in
      let isNamed = random.next(in: 0...3) > 0
      return .server(.tooManyRequests(for: length, retryAfter: isNamed ? length : nil))
    },
    SoakFaultKind("tickle-timeout", sign: .answer) { .server(.tickleTimeout(for: $1)) },
    SoakFaultKind("nightly-reset", sign: .answer) { .server(.nightlyReset(for: $1)) },
  ]
}

extension SplitMix64 {
  /// One of several.
  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int(next(in: 0...Int64(elements.count - 1)))]
  }
}
