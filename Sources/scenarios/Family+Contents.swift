// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR

extension Family {
  // MARK: - What comes

  static let contents: [Trial] = [
    odd(.wrongJSON, [.messages(.unrecognised, 5...6)]),
    odd(.unknownMessages, [.messages(.unrecognised, 5...7)]),
    odd(.emptyMessages, [.messages(.unrecognised, 3...3)]),
    odd(.deepJSON, [.messages(.unrecognised, 1...1)]),
    odd(.notUTF8Binary, [.number("not UTF-8", 1...1) { $0.notes.notUTF8 }]),
    odd(.notUTF8Text, [.number("not UTF-8", 1...1) { $0.notes.notUTF8 }]),
    odd(
      .hugeAccounts,
      [
        .messages(.accounts, 2...2),
        .number("bytes of the longest message", 1_000_000 ... .max) { $0.notes.longest },
      ]
    ),
    odd(.tradesBurst, [.messages(.trades, 278...278)]),
    Trial(
      .listed("pings"),
      [.connections(1...1), .number("pongs", 20...20) { $0.notes.pongs }]
    ),
    Trial(
      .aside(
        "tic-answered-four-times",
        "Every tic is answered four times, as one gateway does it."
      ),
      [.connections(1...1), .messages(.tic, 16...20), .commands("tic", 4...5)]
    ) {
      $0.ticAnswers = 4
    },
  ]

  private static func odd(_ oddity: Oddity, _ expects: [Expectation]) -> Trial {
    Trial(.listed(oddity.rawValue), [.connections(1...1)] + expects) {
      if oddity == .tradesBurst { $0.feeds.append(.trades) }
      if [.wrongJSON, .notUTF8Text, .hugeAccounts, .tradesBurst].contains(oddity) {
        $0.live = .init(events: [.init(.say(oddity), after: soon)], duration: .seconds(8))
      }
    }
  }

  // MARK: - In which form, and how much

  static let forms: [Trial] = [
    // Kept as they came: nothing says which two pieces belong together.
    Trial(
      .listed("split"),
      [
        .connections(1...1),
        .number("pieces that are no JSON", 10 ... .max) { $0.notes.topics[.unrecognised] ?? 0 },
      ]
    ),
    Trial(.listed("fragments"), [.connections(1...1), .messages(.unrecognised, 0...0)]),
    Trial(.listed("text"), [.connections(1...1), .messages(.unrecognised, 0...0)]),
    Trial(
      .listed("disorder"),
      [.connections(1...1), .number("quotes that are late", 10 ... .max) { $0.notes.late }]
    ),
    Trial(
      .aside(
        "images-twice",
        "Images come twice, at the start, with renewals and after a loss: each is marked.",
        [.init(.dropConnections, after: .seconds(60))]
      ),
      duration: .seconds(700),
      readyBy: .seconds(90),
      gaps: [.disconnect],
      [
        .number("images", 12 ... .max) { $0.notes.images },
        .number("images not marked", 0...0) { $0.notes.unmarked },
      ]
    ),
    Trial(
      .aside(
        "hundred-instruments",
        "100 instruments at full rate; the connection is lost once.",
        [.init(.dropConnections, after: .seconds(60))]
      ),
      duration: .seconds(120),
      readyBy: .seconds(90),
      gaps: [.disconnect],
      [.connections(2...2), .commands("smd", 200...200), .messages(.marketData, 15_000 ... .max)]
    ) {
      $0.feeds = [.numbered(100)]
      $0.rate = 2
    },
  ]

  // MARK: - Who takes it

  static let subscribers: [Trial] = [
    slow(.dropOldest, "forgets the oldest events that wait", [.lost(1 ... .max)]),
    slow(.dropNewest, "forgets the events that come", [.lost(1 ... .max)]),
    slow(.latestPerInstrument, "keeps the newest quote of each instrument", [.lost(1 ... .max)]),
    slow(.fail, "fails", [.number("failed", 1...1) { $0.heard.count { $0.hasFailed } }]),
    slow(
      .backpressure,
      "stops the reading for as long as it may",
      [
        .lost(0...0), .number("pauses", 1 ... .max) { $0.notes.pauses },
        .number("overflows", 0...0) { $0.overflows },
      ],
      stall: .seconds(6)
    ),
    slow(
      .backpressure,
      "stops the reading for longer than it may, and is told what it loses",
      [
        .lost(1 ... .max), .number("pauses", 1 ... .max) { $0.notes.pauses },
        .number("overflows", 1...1) { $0.overflows },
      ],
      name: "slow-overflow",
      stall: .seconds(40)
    ),
    underWay,
  ]

  /// What the network holds is lost with the connection, and lies in the gap.
  private static var underWay: Trial {
    var trial = slow(
      .backpressure,
      "stops the reading, and the connection is reset meanwhile: what was under way is lost",
      [
        .number("messages in gaps", 50 ... .max) { $0.ledger.inGaps },
        .number("pauses", 1 ... .max) { $0.notes.pauses },
      ],
      name: "reset-while-paused",
      stall: .seconds(8),
      connections: 2
    )
    trial.acts = [(.reset, after: .seconds(37))]
    trial.gaps = [.disconnect]
    trial.readyBy = .seconds(90)
    return trial
  }

  /// A subscriber that stalls and is slow from then on, beside one that sees everything.
  private static func slow(
    _ action: OverflowPolicy.Action,
    _ summary: String,
    _ expects: [Expectation],
    name: String? = nil,
    stall: Duration = .seconds(30),
    connections: Int = 1
  ) -> Trial {
    let words: [OverflowPolicy.Action: String] = [
      .dropOldest: "drop-oldest", .dropNewest: "drop-newest",
      .latestPerInstrument: "latest-per-instrument", .fail: "fail", .backpressure: "backpressure",
    ]
    return Trial(
      .aside(
        name ?? "slow-\(words[action] ?? "")",
        "A slow subscriber \(summary); the others lose nothing."
      ),
      duration: .seconds(150),
      [.connections(connections...connections)] + expects
    ) {
      $0.rate = 10
      $0.listeners = [
        ListenerPlan(
          policy: OverflowPolicy(action, maximumEvents: 20),
          stallsAfter: start,
          stall: stall,
          pause: .milliseconds(1)
        ),
        ListenerPlan(policy: .dropOldest(), stallsAfter: start, stall: .milliseconds(1)),
      ]
    }
  }

  // MARK: - The machine

  static let machine: [Trial] = [
    names(
      "names-gone",
      .refuses,
      "No name can be looked up for a minute, and the connection is lost."
    ) {
      $0.expects.append(.losses("could not be looked up", 1 ... .max))
      $0.live = .init(
        events: [.init(.dropConnections, after: .seconds(4))],
        acts: [(.namesGone(for: .seconds(6), .refuses), after: soon)],
        duration: .seconds(25)
      )
    },
    names("names-hang", .hangs, "The same, and the name server does not answer at all.") { _ in },
    clock("clock-forward", .seconds(3_600), "The time of day is set an hour ahead."),
    clock("clock-back", .seconds(-86_400), "The time of day is set back by a day."),
    asleep(
      "sleep",
      .dropConnections,
      "The machine sleeps for ten minutes; the connection is gone when it wakes."
    ),
    asleep(
      "sleep-half-open",
      .halfOpen(for: .seconds(100)),
      "The same, and nobody says that the connection is gone."
    ),
  ]

  private static func names(
    _ name: String,
    _ outage: ScriptedResolver.Outage,
    _ summary: String,
    _ change: (inout Trial) -> Void
  ) -> Trial {
    Trial(
      .aside(name, summary, [.init(.dropConnections, after: .seconds(35))]),
      readyBy: .seconds(180),
      gaps: [.disconnect],
      [.connections(2...2)]
    ) {
      $0.sees = [.ready, .degraded, .ready]
      $0.acts = [(.namesGone(for: .seconds(60), outage), after: start)]
      change(&$0)
    }
  }

  private static func clock(_ name: String, _ step: Duration, _ summary: String) -> Trial {
    Trial(
      .aside(name, summary),
      duration: .seconds(700),
      [.connections(1...1), .number("steps of the clock", 1...1) { $0.notes.clockSteps.count }]
    ) {
      $0.acts = [(.setClock(by: step), after: .seconds(60))]
    }
  }

  private static func asleep(_ name: String, _ fault: Fault, _ summary: String) -> Trial {
    Trial(
      .aside(name, summary, [.init(fault, after: .seconds(60))]),
      readyBy: .seconds(120),
      gaps: [.machineSuspend],
      [.connections(2...2)]
    ) {
      $0.acts = [(.sleep(for: .seconds(600)), after: .milliseconds(59_999))]
    }
  }
}

extension Expectation {
  /// How many messages of the server the slowest subscriber was told to have lost.
  static func lost(_ range: ClosedRange<Int>) -> Expectation {
    number("told as lost", range) { report in report.heard.map(\.lost).max() ?? 0 }
  }
}

extension Report {
  /// How many gaps were declared because a subscriber could not take more.
  var overflows: Int { gaps.count { $0.phase == .began && $0.reason == .overflow } }
}
