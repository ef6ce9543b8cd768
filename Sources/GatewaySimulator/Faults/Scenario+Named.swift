// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension Scenario {
  /// Nothing goes wrong.
  public static let steady = Scenario(
    name: "steady",
    summary: "Nothing goes wrong.",
    events: []
  )

  /// The scenarios that can be chosen by name.
  public static let all = [
    steady,
    Scenario(
      name: "drops",
      summary: "Every socket loses its connection each 20 s, a hundred times.",
      events: (1...100).map { Event(.dropConnections, after: .seconds(20 * $0)) }
    ),
    single("restart", .refuseConnections(for: .seconds(15)), "Nothing is accepted for 15 s."),
    single("silence", .silence(for: .seconds(60)), "Open sockets say nothing for a minute."),
    single("data-pause", .dataPause(for: .seconds(60)), "Heartbeats, but no data for a minute."),
    single(
      "expiry",
      .expireSubscriptions,
      "Every subscription to market data ends without a word."
    ),
    single(
      "competing",
      .competingLogin(for: .seconds(60)),
      "Another login holds the brokerage session for a minute."
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

  /// The scenario of a name, nil if there is none.
  ///
  /// - Parameter name: A name of `all`.
  /// - Returns: The scenario.
  public static func named(_ name: String) -> Scenario? {
    all.first { $0.name == name }
  }

  /// One fault, late enough for a client to be at work.
  private static func single(_ name: String, _ fault: Fault, _ summary: String) -> Scenario {
    Scenario(name: name, summary: summary, events: [Event(fault, after: .seconds(30))])
  }
}
