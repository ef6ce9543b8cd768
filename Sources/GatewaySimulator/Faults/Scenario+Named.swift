// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension Scenario {
  /// Nothing goes wrong.
  public static let steady = Scenario(
    name: "steady",
    summary: "Nothing goes wrong.",
    events: []
  )

  /// The scenarios that can be chosen by name: the one list of them, which `ibkr simulate
  /// --list-scenarios` prints and `scripts/scenarios` plays.
  public static let all = [steady] + ends + silences + subscriptions + contents + sessions

  /// The scenario of a name, nil if there is none.
  ///
  /// - Parameter name: A name of `all`.
  /// - Returns: The scenario.
  public static func named(_ name: String) -> Scenario? {
    all.first { $0.name == name }
  }

  /// One fault, late enough for a client to be at work.
  private static func single(
    _ name: String,
    _ fault: Fault,
    after: Duration = .seconds(30),
    _ summary: String
  ) -> Scenario {
    Scenario(name: name, summary: summary, events: [Event(fault, after: after)])
  }

  // MARK: - How a connection ends

  private static let ends: [Scenario] = [
    Scenario(
      name: "drops",
      summary: "Every socket loses its connection each 20 s, a hundred times.",
      events: (1...100).map { Event(.dropConnections, after: .seconds(20 * $0)) }
    ),
    Scenario(
      name: "drops-while-subscribing",
      summary: "The connection is lost between a subscription and its image, four times.",
      events: [400, 2_400, 5_400, 9_400].map { Event(.dropConnections, after: .milliseconds($0)) }
    ),
    single("close-1000", .closeConnections(code: 1000), "Every socket is closed with code 1000."),
    single("close-1001", .closeConnections(code: 1001), "Every socket is closed with code 1001."),
    single(
      "close-1006",
      .dropConnections,
      "Every socket ends without a close frame, which RFC 6455 calls 1006."
    ),
    single("close-1011", .closeConnections(code: 1011), "Every socket is closed with code 1011."),
    single("cut", .cutConnections, "Every connection ends in the middle of a message."),
    single(
      "half-open",
      .halfOpen(for: .seconds(200)),
      "The network has lost the connection, and neither side knows."
    ),
    single(
      "half-open-while-subscribing",
      .halfOpen(for: .seconds(200)),
      after: .milliseconds(300),
      "The same, between the first subscription and its image."
    ),
    single("restart", .refuseConnections(for: .seconds(15)), "Nothing is accepted for 15 s."),
    Scenario(
      name: "flood-after-reconnect",
      summary: "The connection is lost, and 5,000 quotes come at once when it is back.",
      events: [
        Event(.dropConnections, after: .seconds(30)),
        Event(.flood(messages: 5_000), after: .seconds(60)),
      ]
    ),
    single("masked-frame", .breakProtocol(.maskedFrame), "A frame is masked, as no server may."),
    single("reserved-bits", .breakProtocol(.reservedBits), "A frame has a reserved bit set."),
    single("reserved-opcode", .breakProtocol(.reservedOpcode), "A frame has a reserved opcode."),
    single(
      "fragmented-control",
      .breakProtocol(.fragmentedControl),
      "A close frame comes in fragments, which RFC 6455 forbids."
    ),
    single("too-long", .breakProtocol(.tooLong), "A message begins that says it has 32 MiB."),
  ]

  // MARK: - Silence

  private static let silences: [Scenario] = [
    single("silence", .silence(for: .seconds(60)), "Open sockets say nothing for a minute."),
    Scenario(
      name: "silence-with-pings",
      summary: "The same, and the gateway goes on sending pings, no sign of IBKR's life.",
      events: [Event(.silence(for: .seconds(60)), after: .seconds(30))]
        + (1...11).map { Event(.say(.ping), after: .seconds(30 + 5 * $0)) }
    ),
    single("data-pause", .dataPause(for: .seconds(60)), "Heartbeats, but no data for a minute."),
    single(
      "heartbeat-pause",
      .heartbeatPause(for: .seconds(120)),
      "Data, but no heartbeats for two minutes."
    ),
    single(
      "one-mute",
      .muteInstrument(conid: 265_598, isDeaf: false),
      "One subscription ends without a word; asking again brings it back."
    ),
    single(
      "one-mute-and-deaf",
      .muteInstrument(conid: 265_598, isDeaf: true),
      "The same, and only another connection brings it back."
    ),
  ]

  // MARK: - Subscriptions

  private static let subscriptions: [Scenario] = [
    single(
      "expiry",
      .expireSubscriptions,
      "Every subscription to market data ends without a word."
    ),
    single(
      "expiry-after-2-minutes",
      .expiry(after: .seconds(120)),
      after: .zero,
      "Subscriptions end two minutes after they were asked for."
    ),
    single(
      "expiry-after-10-minutes",
      .expiry(after: .seconds(600)),
      after: .zero,
      "Subscriptions end ten minutes after they were asked for, as IBKR's do."
    ),
    single(
      "refused",
      .refuseSubscriptions(for: .seconds(5)),
      after: .zero,
      "Subscriptions to market data are refused for 5 s."
    ),
    single(
      "ignored",
      .ignoreSubscriptions(for: .seconds(45)),
      after: .zero,
      "Subscriptions to market data get no answer for 45 s."
    ),
    single(
      "topics-without-exchange",
      .distort(.topicsWithoutExchange, for: .seconds(3_600)),
      after: .zero,
      "The topic of what comes for 265598@ARCA does not name the exchange."
    ),
  ]

  // MARK: - What comes

  private static let contents: [Scenario] = [
    single("wrong-json", .say(.wrongJSON), "Texts come that are no JSON."),
    single("unknown-messages", .say(.unknownMessages), "JSON comes that is no known message."),
    single("empty-messages", .say(.emptyMessages), "Messages come without a byte."),
    single("deep-json", .say(.deepJSON), "JSON comes with a thousand brackets in each other."),
    single("not-utf8-binary", .say(.notUTF8Binary), "A binary message is not UTF-8."),
    single("not-utf8-text", .say(.notUTF8Text), "A text message is not UTF-8."),
    single("huge-accounts", .say(.hugeAccounts), "`act` comes with 40,000 accounts."),
    single("trades-burst", .say(.tradesBurst), "277 executions come at once."),
    Scenario(
      name: "pings",
      summary: "The server sends a ping each 10 s, twenty times.",
      events: (1...20).map { Event(.say(.ping), after: .seconds(10 * $0)) }
    ),
    single(
      "split",
      .distort(.split, for: .seconds(10)),
      "Each message comes in two pieces for 10 s."
    ),
    single(
      "fragments",
      .distort(.fragments, for: .seconds(60)),
      "Each message comes in frames of a few bytes for a minute."
    ),
    single("text", .distort(.text, for: .seconds(60)), "Each message comes as text for a minute."),
    single(
      "disorder",
      .distort(.disorder, for: .seconds(60)),
      "Of each two quotes of an instrument the later comes first, for a minute."
    ),
  ]

  // MARK: - The session

  private static let sessions: [Scenario] = [
    single(
      "competing",
      .competingLogin(for: .seconds(60)),
      "Another login holds the brokerage session for a minute."
    ),
    single(
      "authentication-back-untold",
      .authenticationLoss(for: .seconds(60), announcesReturn: false),
      "The brokerage session is away for a minute; its return is not told."
    ),
    single(
      "brokerage-loss",
      .brokerageLoss(isAnnounced: true),
      "The brokerage session is gone until it is opened again; its return is not told."
    ),
    single(
      "brokerage-loss-untold",
      .brokerageLoss(isAnnounced: false),
      "The same, and not even the loss is told."
    ),
    single(
      "not-established",
      .notEstablished(for: .seconds(20)),
      "Account data is not loaded for 20 s."
    ),
    single("token-loss", .tokenLoss, "The live session token has ended: 401 until a new one."),
    single("new-session", .newSession, "The user logs in anew; every socket is closed with 1000."),
    single("login-loss", .loginLoss(for: .seconds(60)), "Nobody is logged in for a minute: 401."),
    single("gone", .gone(for: .seconds(20)), "Every request is answered 410 for 20 s."),
    single(
      "too-many-requests",
      .tooManyRequests(for: .seconds(60), retryAfter: nil),
      "Every request is answered 429 for a minute, without Retry-After."
    ),
    single(
      "retry-after",
      .tooManyRequests(for: .seconds(60), retryAfter: .seconds(60)),
      "The same, with Retry-After: 60."
    ),
    single(
      "tickle-timeout",
      .tickleTimeout(for: .seconds(90)),
      "A tickle gets no answer for 90 s."
    ),
    single(
      "nightly-reset",
      .nightlyReset(for: .seconds(300)),
      "No brokerage session for 5 minutes, then every login has ended."
    ),
  ]
}
