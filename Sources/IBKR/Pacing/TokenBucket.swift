// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// So many requests in so much time, and never more in any stretch of that length.
///
/// A token that is taken comes back when the whole period is over. (The usual bucket, which is
/// refilled little by little, lets nearly twice the limit through in the period after a rest.)
struct TokenBucket: Sendable {
  /// How many requests.
  let limit: Int
  /// In which time, in nanoseconds.
  let period: Int64
  /// When the tokens that are out were taken, the oldest first.
  private var taken: [Int64] = []

  /// The server counts what arrives, and requests may arrive closer together than they were sent.
  static let margin: Int64 = 50_000_000

  /// A full bucket.
  ///
  /// - Parameters:
  ///   - limit: How many requests, at least one.
  ///   - period: In which time.
  init(_ limit: Int, per period: Duration) {
    self.limit = max(1, limit)
    self.period = period.nanoseconds + Self.margin
  }

  /// When there are so many tokens.
  ///
  /// - Parameters:
  ///   - count: How many, from one to the limit.
  ///   - now: The monotonic time.
  /// - Returns: `now`, or the time at which enough have come back.
  func time(of count: Int = 1, at now: Int64) -> Int64 {
    // So many of those that are out have to come back first.
    let missing = count - (limit - taken.count)
    guard missing > 0 else { return now }
    return max(now, taken[min(missing, taken.count) - 1] + period)
  }

  /// Takes a token, which must be there.
  mutating func take(at now: Int64) {
    taken.removeAll { $0 + period <= now }
    taken.append(now)
  }

  /// A request of which nothing was heard may have arrived as late as now.
  ///
  /// - Parameters:
  ///   - time: When its token was taken.
  ///   - now: The monotonic time, from which on the token counts as out.
  mutating func postpone(_ time: Int64, to now: Int64) {
    guard let index = taken.firstIndex(of: time) else {
      // It has come back meanwhile.
      taken.removeAll { $0 + period <= now }
      taken.append(now)
      return
    }
    taken.remove(at: index)
    taken.append(now)
  }
}
