// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Everything that happens on a stream, in the order in which it happened.
///
/// Data and lifecycle come through one sequence, so that nobody has to guess whether a quote came
/// before or after a loss.
public enum Event: Sendable {
  /// A message or control frame, exactly as it crossed the wire.
  case message(Message)

  /// A stretch of time without data: told once when it begins and once when it is over.
  case gap(Gap)

  /// Events that this subscriber lost because it was slower than the stream. They are missing in
  /// exactly this place; `range` spans their numbers. It has no number of its own.
  case dropped(count: Int, range: ClosedRange<UInt64>)

  /// A subscription changed its state.
  case subscription(SubscriptionKey, SubscriptionState, at: Stamp)

  /// The brokerage session changed its state.
  case session(SessionState, at: Stamp)

  /// The connection changed its state.
  case connection(ConnectionState, at: Stamp)

  /// What has become of the bars that were asked for because quotes are missing.
  case backfill(BackfillProgress, at: Stamp)

  /// The event's number and time; nil for ``dropped(count:range:)``, which is nobody else's event.
  public var stamp: Stamp? {
    switch self {
    case .message(let message): message.stamp
    case .gap(let gap): gap.stamp
    case .dropped: nil
    case .subscription(_, _, let stamp), .session(_, let stamp), .connection(_, let stamp),
      .backfill(_, let stamp):
      stamp
    }
  }

  /// The event's number in the run; nil for ``dropped(count:range:)``.
  public var seq: UInt64? { stamp?.seq }
}
