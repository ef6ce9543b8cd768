// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Whether a simulator counts requests.
public enum Pacing: Sendable, Hashable {
  /// A client may be as fast as it likes.
  case unlimited
  /// A request over a limit is answered 429, and so is every other one for the time of the penalty.
  ///
  /// IBKR's penalty is 15 minutes; zero refuses nothing but the request that came too early.
  case enforced(penalty: Duration)
}

/// Counts requests as the table of the protocol reference, section 3.8, has the limits.
///
/// A limit holds in every window of its length, not only in those that begin at a full second: a
/// client that keeps to this one keeps to every way of counting.
struct PacingGuard: Sendable {
  /// So many requests in any window of so many nanoseconds.
  struct Limit: Sendable {
    let count: Int
    let window: Int64

    init(_ count: Int, per window: Duration) {
      self.count = count
      self.window = window.nanoseconds
    }
  }

  private let penalty: Int64?
  private var penaltyEnd = Int64.min
  /// The times of the last requests that counted, by row of the table.
  private var times: [String: [Int64]] = [:]

  /// The network squeezes the distance of two requests a little.
  private static let grace: Int64 = 50_000_000

  init(_ pacing: Pacing) {
    penalty =
      switch pacing {
      case .unlimited: nil
      case .enforced(let penalty): penalty.nanoseconds
      }
  }

  /// Counts a request.
  ///
  /// - Returns: Whether it is within all limits.
  mutating func admits(_ request: GatewayRequest, at now: Int64) -> Bool {
    guard let penalty else { return true }
    guard now >= penaltyEnd else { return false }
    var rows = [("", Self.global)]
    if let row = Self.row(of: request) { rows.append(row) }
    for (name, limit) in rows {
      let recent = times[name, default: []].filter { now - $0 < limit.window - Self.grace }
      guard recent.count < limit.count else {
        penaltyEnd = now + penalty
        return false
      }
      times[name] = recent
    }
    for (name, _) in rows { times[name, default: []].append(now) }
    return true
  }

  private static let global = Limit(10, per: .seconds(1))

  /// Method and path of each row; `*` stands for one part of a path, no method for any.
  private static let table: [(method: String, path: String, limit: Limit)] = [
    ("GET", "/iserver/marketdata/snapshot", Limit(10, per: .seconds(1))),
    ("GET", "/iserver/marketdata/history", Limit(50, per: .seconds(60))),
    ("GET", "/iserver/account/orders", Limit(1, per: .seconds(5))),
    ("GET", "/iserver/account/trades", Limit(1, per: .seconds(5))),
    ("GET", "/iserver/account/pnl/partitioned", Limit(1, per: .seconds(5))),
    ("GET", "/iserver/scanner/params", Limit(1, per: .seconds(900))),
    ("POST", "/iserver/scanner/run", Limit(1, per: .seconds(1))),
    ("GET", "/portfolio/accounts", Limit(1, per: .seconds(5))),
    ("GET", "/portfolio/subaccounts", Limit(1, per: .seconds(5))),
    ("POST", "/pa/performance", Limit(1, per: .seconds(900))),
    ("POST", "/pa/summary", Limit(1, per: .seconds(900))),
    ("POST", "/pa/transactions", Limit(1, per: .seconds(900))),
    ("POST", "/pa/allperiods", Limit(1, per: .seconds(900))),
    ("", "/fyi/*", Limit(1, per: .seconds(1))),
    ("", "/fyi/settings/*", Limit(1, per: .seconds(1))),
    ("", "/fyi/disclaimer/*", Limit(1, per: .seconds(1))),
    ("", "/fyi/deliveryoptions/*", Limit(1, per: .seconds(1))),
    ("", "/fyi/notifications/*", Limit(1, per: .seconds(1))),
    ("", "/tickle", Limit(1, per: .seconds(1))),
    ("GET", "/sso/validate", Limit(1, per: .seconds(60))),
  ]

  private static func row(of request: GatewayRequest) -> (String, Limit)? {
    let parts = request.path.split(separator: "/", omittingEmptySubsequences: false)
    let row = table.first { method, path, _ in
      let pattern = path.split(separator: "/", omittingEmptySubsequences: false)
      return (method.isEmpty || method == request.method) && pattern.count == parts.count
        && zip(pattern, parts).allSatisfy { $0 == "*" || $0 == $1 }
    }
    return row.map { ("\($0.method) \($0.path)", $0.limit) }
  }
}
