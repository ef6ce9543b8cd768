// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// The states that a stream's own events tell of, for those who want to know how things stand and
/// not everything that happened.
final class StateBoard: Sendable {
  let connection = StateLatch<ConnectionState>()
  let session = StateLatch<SessionState>()
  private let subscriptions = Locked<[UInt32: StateLatch<SubscriptionState>]>([:])

  /// The latch of a subscription, until that has ended.
  func subscription(_ key: SubscriptionKey) -> StateLatch<SubscriptionState>? {
    subscriptions.withLock { $0[key.number] }
  }

  /// Brings the states up to date; only the I/O thread calls this.
  ///
  /// - Parameters:
  ///   - batch: The next events.
  ///   - endsWithConnection: Whether nothing changes any longer once the connection is closed.
  func note(_ batch: EventBatch, endsWithConnection: Bool = true) {
    for event in batch.storage.own {
      switch event {
      case .connection(let state):
        connection.set(state)
        if state == .closed, endsWithConnection { finish() }
      case .session(let state): session.set(state)
      case .subscription(let key, let state): note(state, of: key)
      case .gap, .dropped, .backfill: break
      }
    }
  }

  private func note(_ state: SubscriptionState, of key: SubscriptionKey) {
    let isLast = state == .ended
    let latch = subscriptions.withLock { subscriptions in
      let latch = subscriptions[key.number] ?? StateLatch()
      subscriptions[key.number] = isLast ? nil : latch
      return latch
    }
    latch.set(state)
    if isLast { latch.finish() }
  }

  /// The run is over: nothing changes any longer.
  func finish() {
    connection.finish()
    session.finish()
    let latches = subscriptions.withLock { subscriptions in
      defer { subscriptions = [:] }
      return subscriptions.values
    }
    for latch in latches { latch.finish() }
  }
}
