// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator

/// How often a server was asked, against the table of the protocol reference, section 3.8.
struct Pace: Sendable {
  /// One line of the table.
  struct Row: Sendable, Hashable {
    /// The method and path, or `all requests`.
    let name: String
    /// The most in any minute, and in any second.
    let mostInMinute: Int
    let mostInSecond: Int
    /// How many the table allows in a second.
    let allowedInSecond: Int

    /// Whether the table is kept to.
    var isAllowed: Bool {
      mostInSecond <= allowedInSecond && mostInMinute <= 60 * allowedInSecond
    }
  }

  let rows: [Row]

  /// Counts requests; those that opened a socket are none of the REST side.
  init(_ requests: [ServedRequest]) {
    let calls = requests.filter { $0.path != "/ws" }
    var times: [String: [Int64]] = [:]
    for call in calls {
      times["\(call.method) \(call.path)", default: []].append(call.milliseconds)
    }
    rows =
      [Self.row("all requests", calls.map(\.milliseconds), allowed: 10)]
      + times.keys.sorted().map { name in
        Self.row(name, times[name] ?? [], allowed: name.hasSuffix(" /tickle") ? 1 : 10)
      }
  }

  private static func row(_ name: String, _ times: [Int64], allowed: Int) -> Row {
    Row(
      name: name,
      mostInMinute: most(times, within: 60_000),
      mostInSecond: most(times, within: 1_000),
      allowedInSecond: allowed
    )
  }

  /// The most times in any window that does not contain its end.
  static func most(_ times: [Int64], within window: Int64) -> Int {
    let times = times.sorted()
    var first = 0
    var most = 0
    for (last, time) in times.enumerated() {
      while time - times[first] >= window { first += 1 }
      most = max(most, last - first + 1)
    }
    return most
  }
}
