// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension Fault {
  /// The names of the faults in a scenario's file.
  public static let names = [
    "drop-connections", "close-connections", "refuse-connections", "silence", "data-pause",
    "expire-subscriptions",
    "authentication-loss", "brokerage-loss", "competing-login", "not-established", "token-loss",
    "new-session", "login-loss", "gone", "too-many-requests", "tickle-timeout", "nightly-reset",
  ]

  /// Reads the fault of a line.
  init(named name: String, _ line: ScenarioLine) throws(ScenarioComplaint) {
    switch name {
    case "drop-connections": self = .dropConnections
    case "close-connections": self = .closeConnections(code: try line.closeCode())
    case "expire-subscriptions": self = .expireSubscriptions
    case "token-loss": self = .tokenLoss
    case "new-session": self = .newSession
    case "brokerage-loss":
      self = .brokerageLoss(isAnnounced: try line.flag("announced") ?? true)
    default: self = try Self.lasting(name, line)
    }
    try line.allows(Self.members(of: name), for: name)
  }

  /// The faults that last for a while.
  private static func lasting(
    _ name: String,
    _ line: ScenarioLine
  ) throws(ScenarioComplaint) -> Fault {
    guard names.contains(name) else {
      throw ScenarioComplaint(
        "there is no fault '\(name)': choose one of \(names.joined(separator: ", "))"
      )
    }
    let length = try line.length(of: name)
    switch name {
    case "refuse-connections": return .refuseConnections(for: length)
    case "silence": return .silence(for: length)
    case "data-pause": return .dataPause(for: length)
    case "authentication-loss":
      let announced = try line.flag("announced") ?? false
      return .authenticationLoss(for: length, announcesReturn: announced)
    case "competing-login": return .competingLogin(for: length)
    case "not-established": return .notEstablished(for: length)
    case "login-loss": return .loginLoss(for: length)
    case "gone": return .gone(for: length)
    case "too-many-requests":
      return .tooManyRequests(for: length, retryAfter: try line.duration("retry_after"))
    case "tickle-timeout": return .tickleTimeout(for: length)
    default: return .nightlyReset(for: length)
    }
  }

  /// What a line may say beside the fault and its times.
  private static func members(of name: String) -> Set<String> {
    switch name {
    case "drop-connections", "expire-subscriptions", "token-loss", "new-session": []
    case "close-connections": ["code"]
    case "brokerage-loss": ["announced"]
    case "authentication-loss": ["for", "announced"]
    case "too-many-requests": ["for", "retry_after"]
    default: ["for"]
    }
  }
}
