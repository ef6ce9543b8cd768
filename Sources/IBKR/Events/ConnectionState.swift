// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What the connection to the server is doing.
public enum ConnectionState: Sendable, Hashable {
  /// A new connection is being made; attempts are counted from 1 since the last good one.
  case connecting(attempt: Int)
  /// The WebSocket is open. Nothing may be sent yet: the gateway would drop it silently.
  case open
  /// The server has greeted (`system`/`success`): commands reach it.
  case ready
  /// Reading has stopped because a subscriber with the policy `backpressure` is full.
  case readingPaused
  /// Reading goes on after a pause of this many nanoseconds.
  case readingResumed(after: Int64)
  /// The connection is lost; the next attempt begins after this many nanoseconds.
  case lost(GapReason, description: String, retryAfter: Int64)
  /// The client has closed the connection for good.
  case closed
}
