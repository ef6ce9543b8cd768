// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import OAuth1a

/// What has become of an OAuth session: the token, and what keeps it and gives it back.
struct OAuthSession {
  /// The token that signs; nil before the first, and after a logout.
  var token: LiveSessionToken?
  /// Whether the automatic life has begun, so that no call has to begin it.
  var hasBegun = false
  /// Whether the brokerage session has been opened once: from then on no other login is ended.
  var hasCompeted = false
  /// Whether ending the client gives the session back.
  var givesBack = false
  /// What signals do about it.
  var exitDuty: UInt64?
  /// Whether it has been given back for good.
  var isOver = false
  /// Whether a stream's supervisor makes every call that logs in, renews or keeps alive.
  var isSupervised = false
  /// Whether the Tickler runs again when the supervisor has gone.
  var resumesTickler = false
  /// The Tickler, while it runs.
  var tickler: Task<Void, Never>?
  /// When the last `tickle` was sent, whoever sent it; monotonic.
  var lastTickle: Int64 = 0
  /// No renewal is tried before this monotonic time.
  var nextRenewal: Int64 = 0
  private var lastTimestamp: Int64 = 0

  /// How long before its end a token is replaced, in milliseconds: as IBKR's own sample does it.
  static let renewalLead: Int64 = 600_000

  /// How long a renewal that failed is not tried again, in nanoseconds.
  static let renewalPause: Int64 = 60_000_000_000

  /// Whether the token should be replaced.
  func isExpiring(at now: Timestamp) -> Bool {
    guard let token else { return false }
    return token.expiration - now.realtime / 1_000_000 <= Self.renewalLead
  }

  /// The time that a request names, in seconds: never lower than an earlier one's, which the
  /// server would refuse.
  ///
  /// A clock that has been set back by more than a minute was wrong before, and is believed.
  mutating func takeTimestamp(_ now: Timestamp) -> Int64 {
    let seconds = now.realtime / 1_000_000_000
    if seconds > lastTimestamp || lastTimestamp - seconds > 60 { lastTimestamp = seconds }
    return lastTimestamp
  }
}
