// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1

/// How often one endpoint may be called (protocol reference 3.8).
struct PacingRule: Sendable, Hashable {
  /// So many in so much time.
  struct Limit: Sendable, Hashable {
    let count: Int
    let period: Duration
  }

  /// The path below the base; `{}` stands for one segment of any text.
  let path: String
  /// The methods that count together.
  let methods: Set<HTTPMethod>
  /// All of these hold.
  let limits: [Limit]
  /// How many may be under way at once; nil for any number.
  let concurrent: Int?

  private init(
    _ path: String,
    _ limits: [(Int, Duration)],
    by methods: Set<HTTPMethod> = [.get],
    concurrent: Int? = nil
  ) {
    self.path = path
    self.methods = methods
    self.limits = limits.map { Limit(count: $0.0, period: $0.1) }
    self.concurrent = concurrent
  }

  /// What holds for all requests together: the lower one of the two documented figures.
  static let everything = Limit(count: 10, period: .seconds(1))

  /// The place in the table of an endpoint's rule, nil if only the one for everything holds.
  ///
  /// - Parameters:
  ///   - method: The method.
  ///   - path: The path below the base.
  /// - Returns: The place of the first rule that fits.
  static func index(of method: HTTPMethod, _ path: String) -> Int? {
    let segments = path.split(separator: "/")
    return table.firstIndex { rule in
      guard rule.methods.contains(method) else { return false }
      let pattern = rule.path.split(separator: "/")
      return pattern.count == segments.count
        && zip(pattern, segments).allSatisfy { $0 == "{}" || $0 == $1 }
    }
  }

  private static let everySecond = [(1, Duration.seconds(1))]
  private static let everyFiveSeconds = [(1, Duration.seconds(5))]
  private static let everyQuarter = [(1, Duration.seconds(900))]

  /// The whole table; the first that fits holds.
  static let table: [PacingRule] = [
    PacingRule("iserver/marketdata/snapshot", [(10, .seconds(1))]),
    PacingRule(
      "iserver/marketdata/history",
      [(10, .seconds(1)), (50, .seconds(60))],
      concurrent: 5
    ),
    PacingRule("iserver/account/orders", everyFiveSeconds),
    PacingRule("iserver/account/trades", everyFiveSeconds),
    PacingRule("iserver/account/pnl/partitioned", everyFiveSeconds),
    PacingRule("iserver/scanner/params", everyQuarter),
    PacingRule("iserver/scanner/run", everySecond, by: [.post]),
    PacingRule("portfolio/accounts", everyFiveSeconds),
    PacingRule("portfolio/subaccounts", everyFiveSeconds),
    PacingRule("pa/performance", everyQuarter, by: [.post]),
    PacingRule("pa/summary", everyQuarter, by: [.post]),
    PacingRule("pa/transactions", everyQuarter, by: [.post]),
    PacingRule("pa/allperiods", everyQuarter, by: [.post]),
    PacingRule("fyi/unreadnumber", everySecond),
    PacingRule("fyi/settings", everySecond),
    PacingRule("fyi/settings/{}", everySecond, by: [.get, .post]),
    PacingRule("fyi/disclaimer/{}", everySecond, by: [.get, .put]),
    PacingRule("fyi/deliveryoptions", everySecond),
    PacingRule("fyi/deliveryoptions/email", everySecond, by: [.get, .put]),
    PacingRule("fyi/deliveryoptions/device", everySecond, by: [.get, .post]),
    PacingRule("fyi/deliveryoptions/{}", everySecond, by: [.get, .delete]),
    PacingRule("fyi/notifications", everySecond),
    PacingRule("fyi/notifications/more", everySecond),
    PacingRule("fyi/notifications/{}", everySecond, by: [.get, .put]),
    PacingRule("tickle", everySecond, by: [.get, .post]),
    PacingRule("sso/validate", [(1, .seconds(60))]),
  ]
}

/// Which of two requests that wait goes first.
enum CallUrgency: Int, Sendable, Comparable, CaseIterable {
  /// Data of the past, which can wait.
  case backfill
  /// Everything else.
  case live

  static func < (first: CallUrgency, second: CallUrgency) -> Bool {
    first.rawValue < second.rawValue
  }
}
