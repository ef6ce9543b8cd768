// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR

extension Family {
  /// What can happen to a connection, to what comes through it, and to those who take it.
  static let stream = Family(
    name: "stream",
    trials: steady + connections + breaches + silences + subscriptions + contents + forms
      + subscribers + machine
  )

  /// When the faults of most trials happen, and when they do in real time.
  static let start = Duration.seconds(30)
  static let soon = Duration.seconds(3)

  private static let steady = [
    Trial(.steady, [.connections(1...1), .messages(.system, 29...32)])
  ]

  // MARK: - The connection

  private static let connections: [Trial] = [
    Trial(
      .listed("drops"),
      duration: .seconds(210),
      readyBy: .seconds(210),
      gaps: [.disconnect],
      gapsRepeat: true,
      [.connections(10...11), .losses("", 9...10)]
    ) {
      $0.live = .init(
        events: (1...3).map { .init(.dropConnections, after: .seconds(5 * $0)) },
        duration: .seconds(22),
        expects: [.connections(2...4), .losses("", 1...3)]
      )
      // The last one may just have happened.
      $0.endsWithQuotes = false
    },
    Trial(
      .listed("drops-while-subscribing"),
      readyBy: .seconds(60),
      gaps: [.disconnect],
      gapsRepeat: true,
      [.connections(3...5)]
    ),
    end("close-1000", .disconnect, "code 1000"),
    end("close-1001", .disconnect, "code 1001"),
    end("close-1006", .disconnect, "without a close frame"),
    end("close-1011", .disconnect, "code 1011") {
      $0.live = .init(events: [.init(.closeConnections(code: 1011), after: soon)])
    },
    end("cut", .disconnect, "without close_notify") {
      $0.live = .init(events: [.init(.cutConnections, after: soon)])
    },
    end("restart", .disconnect, "without") {
      $0.sees = [.ready, .degraded, .ready]
      $0.live = .init(
        events: [.init(.refuseConnections(for: .seconds(4)), after: soon)],
        duration: .seconds(25)
      )
    },
    end("half-open", .silence, "a ping was not answered") {
      $0.live = .init(
        events: [.init(.halfOpen(for: .seconds(60)), after: soon)],
        duration: .seconds(20),
        expects: [.connections(2...2), .losses("nothing heard", 1...1)],
        heartbeat: .seconds(1),
        heartbeatTimeout: .seconds(4)
      )
    },
    end("half-open-while-subscribing", .silence, "a ping was not answered"),
    end("new-session", .disconnect, "code 1000"),
    Trial(
      .listed("flood-after-reconnect"),
      readyBy: .seconds(60),
      gaps: [.disconnect],
      [.connections(2...2), .messages(.marketData, 5_000 ... .max)]
    ) {
      $0.live = .init(
        events: [
          .init(.dropConnections, after: soon), .init(.flood(messages: 5_000), after: soon * 3),
        ],
        duration: .seconds(15)
      )
    },
  ]

  private static let breaches: [Trial] = [
    end("masked-frame", .disconnect, "mask") {
      $0.live = .init(events: [.init(.breakProtocol(.maskedFrame), after: soon)])
    },
    end("reserved-bits", .disconnect, "RSV2"),
    end("reserved-opcode", .disconnect, "reserved opcode"),
    end("fragmented-control", .disconnect, "fragmented control frame"),
    end("too-long", .disconnect, "33554432"),
  ]

  /// A connection that ends once, and how that is told.
  private static func end(
    _ name: String,
    _ reason: GapReason,
    _ words: String,
    _ change: (inout Trial) -> Void = { _ in }
  ) -> Trial {
    Trial(
      .listed(name),
      readyBy: .seconds(90),
      gaps: [reason],
      [.connections(2...2), .losses(words, 1...1)],
      change
    )
  }

  // MARK: - Silence

  private static let silences: [Trial] = [
    Trial(
      .listed("silence"),
      readyBy: .seconds(180),
      gaps: [.silence],
      [.connections(2...2), .losses("nothing heard", 1...1)]
    ),
    Trial(
      .listed("silence-with-pings"),
      readyBy: .seconds(180),
      gaps: [.silence],
      [
        .connections(2...2), .losses("nothing heard", 1...1),
        .number("pongs", 5 ... .max) { $0.notes.pongs },
      ]
    ),
    Trial(.listed("heartbeat-pause"), [.connections(1...1)]),
    Trial(
      .aside(
        "heartbeat-pause-in-a-quiet-market",
        "Heartbeats stop for 45 s, and nothing else comes either.",
        [.init(.heartbeatPause(for: .seconds(45)), after: start)]
      ),
      readyBy: .seconds(120),
      gaps: [.silence],
      [.connections(2...2)]
    ) {
      $0.feeds = [.quotes(8_595)]
      $0.endsWithQuotes = false
    },
    Trial(.listed("data-pause"), gaps: [.expired], gapsRepeat: true, [.connections(1...1)]),
    Trial(
      .listed("one-mute"),
      gaps: [.expired],
      [.connections(1...1), .state("renewing", of: "smd+265598")]
    ),
    Trial(
      .listed("one-mute-and-deaf"),
      duration: .seconds(400),
      readyBy: .seconds(300),
      gaps: [.silence, .silence],
      [.connections(2...2), .state("stale", of: "smd+265598")]
    ),
  ]

  // MARK: - Subscriptions

  private static let subscriptions: [Trial] = [
    Trial(
      .listed("expiry-after-10-minutes"),
      duration: .seconds(2_400),
      [.connections(1...1), .commands("smd", 8...12)]
    ),
    Trial(
      .listed("expiry-after-2-minutes"),
      duration: .seconds(600),
      gaps: [.expired],
      gapsRepeat: true,
      [.connections(1...1)]
    ) {
      // It may end while one has just ended.
      $0.endsWithQuotes = false
    },
    Trial(.listed("expiry"), gaps: [.expired], gapsRepeat: true, [.connections(1...1)]),
    Trial(.listed("refused"), [.state("failed", of: "smd+265598"), .connections(1...1)]) {
      $0.endsWithQuotes = false
    },
    Trial(
      .listed("ignored"),
      [.commands("smd", 6...10), .state("active", of: "smd+265598"), .connections(1...1)]
    ),
    exchange(
      .aside(
        "two-exchanges",
        "One instrument on two exchanges; the connection is lost once.",
        [.init(.dropConnections, after: .seconds(60))]
      )
    ),
    exchange(
      .listed("topics-without-exchange"),
      and: [.init(.dropConnections, after: .seconds(60))]
    ),
    Trial(
      .aside(
        "account-feeds",
        "Every feed of the account; the connection is lost twice.",
        [
          .init(.dropConnections, after: .seconds(60)),
          .init(.dropConnections, after: .seconds(120)),
        ]
      ),
      readyBy: .seconds(150),
      gaps: [.disconnect, .disconnect],
      [
        // Account data comes again and again; executions once for each subscription.
        .connections(3...3), .messages(.profitAndLoss, 100...1_000),
        .messages(.accountSummary, 30...1_000), .messages(.accountLedger, 10...1_000),
        .messages(.trades, 3...3), .commands("sor", 3...3),
      ]
    ) {
      $0.feeds = [.quotes(265_598), .trades, .orders, .profitAndLoss, .summary, .ledger]
    },
    Trial(
      .listed("authentication-back-untold"),
      readyBy: .seconds(150),
      gaps: [.auth],
      [.connections(2...2)]
    ) {
      $0.sees = [.ready, .brokerageSession, .ready]
    },
    Trial(
      .listed("competing"),
      readyBy: .seconds(180),
      gaps: [.competing],
      [.connections(2...2)]
    ) {
      $0.sees = [.ready, .competing, .ready]
    },
    Trial(
      .listed("nightly-reset"),
      duration: .seconds(600),
      readyBy: .seconds(450),
      gaps: [.maintenance],
      [.connections(2...3)]
    ) {
      $0.clock = Trial.beforeMidnight
      $0.sees = [.ready, .maintenance, .ready]
    },
  ]

  private static func exchange(_ scenario: Scenario, and events: [Scenario.Event] = []) -> Trial {
    Trial(
      .aside(scenario.name, scenario.summary, scenario.events + events),
      readyBy: .seconds(90),
      gaps: [.disconnect],
      [
        .state("active", of: "smd+265598"), .state("active", of: "smd+265598@ARCA"),
        .commands("smd", 4...4), .connections(2...2),
      ]
    ) {
      $0.feeds = [.quotes(265_598), .quotes(265_598, exchange: "ARCA")]
    }
  }
}
