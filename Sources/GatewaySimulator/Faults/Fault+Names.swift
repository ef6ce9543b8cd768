// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension Fault {
  /// What a line of a scenario's file says beside the name of a fault and its times.
  private enum Reading {
    /// Nothing.
    case nothing(Fault)
    /// How long it lasts, as `"for":"20s"`.
    case lasting(@Sendable (Duration) -> Fault)
    /// Something of its own, of these members.
    case special(Set<String>, @Sendable (ScenarioLine) throws(ScenarioComplaint) -> Fault)
  }

  /// The names of the faults in a scenario's file.
  public static let names = table.map(\.name)

  /// Reads the fault of a line.
  init(named name: String, _ line: ScenarioLine) throws(ScenarioComplaint) {
    guard let reading = Self.table.first(where: { $0.name == name })?.reading else {
      throw ScenarioComplaint(
        "there is no fault '\(name)': choose one of \(Self.names.joined(separator: ", "))"
      )
    }
    let members: Set<String>
    switch reading {
    case .nothing(let fault): (self, members) = (fault, [])
    case .lasting(let make): (self, members) = (make(try line.length(of: name)), ["for"])
    case .special(let known, let make): (self, members) = (try make(line), known)
    }
    try line.allows(members, for: name)
  }

  private static let table: [(name: String, reading: Reading)] = [
    // The connection.
    ("drop-connections", .nothing(.dropConnections)),
    (
      "close-connections",
      .special(["code"]) { (line) throws(ScenarioComplaint) in
        .closeConnections(code: try line.closeCode())
      }
    ),
    ("refuse-connections", .lasting { .refuseConnections(for: $0) }),
    ("half-open", .lasting { .halfOpen(for: $0) }),
    ("cut-connections", .nothing(.cutConnections)),
    (
      "break-protocol",
      .special(["how"]) { (line) throws(ScenarioComplaint) in
        .breakProtocol(try line.choice("how"))
      }
    ),
    // What comes through it.
    ("silence", .lasting { .silence(for: $0) }),
    ("data-pause", .lasting { .dataPause(for: $0) }),
    ("heartbeat-pause", .lasting { .heartbeatPause(for: $0) }),
    ("expire-subscriptions", .nothing(.expireSubscriptions)),
    ("expiry", .lasting { .expiry(after: $0) }),
    (
      "mute-instrument",
      .special(["conid", "deaf"]) { (line) throws(ScenarioComplaint) in
        .muteInstrument(
          conid: try line.number("conid", 1...Int(Int32.max)),
          isDeaf: try line.flag("deaf") ?? false
        )
      }
    ),
    ("ignore-subscriptions", .lasting { .ignoreSubscriptions(for: $0) }),
    ("refuse-subscriptions", .lasting { .refuseSubscriptions(for: $0) }),
    (
      "distort",
      .special(["how", "for"]) { (line) throws(ScenarioComplaint) in
        .distort(try line.choice("how"), for: try line.length(of: "distort"))
      }
    ),
    (
      "say",
      .special(["what"]) { (line) throws(ScenarioComplaint) in .say(try line.choice("what")) }
    ),
    (
      "flood",
      .special(["messages"]) { (line) throws(ScenarioComplaint) in
        .flood(messages: try line.number("messages", 1...1_000_000))
      }
    ),
    // The session.
    (
      "authentication-loss",
      .special(["for", "announced"]) { (line) throws(ScenarioComplaint) in
        .authenticationLoss(
          for: try line.length(of: "authentication-loss"),
          announcesReturn: try line.flag("announced") ?? false
        )
      }
    ),
    (
      "brokerage-loss",
      .special(["announced"]) { (line) throws(ScenarioComplaint) in
        .brokerageLoss(isAnnounced: try line.flag("announced") ?? true)
      }
    ),
    ("competing-login", .lasting { .competingLogin(for: $0) }),
    ("not-established", .lasting { .notEstablished(for: $0) }),
    ("token-loss", .nothing(.tokenLoss)),
    ("new-session", .nothing(.newSession)),
    ("login-loss", .lasting { .loginLoss(for: $0) }),
    ("gone", .lasting { .gone(for: $0) }),
    (
      "too-many-requests",
      .special(["for", "retry_after"]) { (line) throws(ScenarioComplaint) in
        .tooManyRequests(
          for: try line.length(of: "too-many-requests"),
          retryAfter: try line.duration("retry_after")
        )
      }
    ),
    (
      "history",
      .special(["how", "for"]) { (line) throws(ScenarioComplaint) in
        .history(try line.choice("how"), for: try line.length(of: "history"))
      }
    ),
    ("tickle-timeout", .lasting { .tickleTimeout(for: $0) }),
    ("nightly-reset", .lasting { .nightlyReset(for: $0) }),
  ]
}
