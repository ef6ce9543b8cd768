// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension IbkrWsClient {
  /// What the connection is doing now, and then whatever it does next.
  ///
  /// A slow observer misses states, never the newest one; ``events(matching:buffering:)`` with the
  /// filter `lifecycle` misses none. Every call gives a sequence of its own, which ends with the run.
  public nonisolated var connectionStates: AsyncStream<ConnectionState> {
    board.connection.values()
  }

  /// What is known of the brokerage session now, and then whatever becomes known.
  ///
  /// As with ``connectionStates``, a slow observer misses states, never the newest one.
  public nonisolated var sessionStates: AsyncStream<SessionState> { board.session.values() }

  /// How far a subscription has come, and then how it goes on.
  ///
  /// As with ``connectionStates``, a slow observer misses states, never the newest one. The sequence
  /// ends when the subscription does.
  ///
  /// - Parameter key: The subscription, as ``want(_:)`` returned it.
  /// - Returns: Its states; none if it has ended.
  public nonisolated func states(of key: SubscriptionKey) -> AsyncStream<SubscriptionState> {
    board.subscription(key)?.values() ?? AsyncStream { $0.finish() }
  }
}
