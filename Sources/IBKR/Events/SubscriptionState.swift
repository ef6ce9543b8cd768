// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How far a subscription has come.
public enum SubscriptionState: Sendable, Hashable {
  /// Wanted, not yet sent on this connection.
  case pending
  /// Sent; the server has not answered yet. Repeats are counted from 1.
  case requested(attempt: Int)
  /// The server answers.
  case active
  /// Sent again, to keep it from expiring.
  case renewing
  /// Silent for longer than it should be.
  case stale
  /// The server refused it, in its own words.
  case failed(String)
  /// Ended by us.
  case ended
}
