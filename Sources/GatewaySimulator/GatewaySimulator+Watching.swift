// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Transport

// What a long test wants to change and to know while the simulator runs.
extension GatewaySimulator {
  /// Lets all instruments change at other distances from now on, at random within the range.
  package func setPace(_ distances: ClosedRange<Duration>) {
    let shortest = max(1, distances.lowerBound.nanoseconds / 1_000_000)
    let longest = max(shortest, distances.upperBound.nanoseconds / 1_000_000)
    model.state.market.change(.between(shortest...longest), at: loop.now)
    advance()
  }

  /// How many subscriptions to market data the newest socket has that bring something, now or with
  /// their first prices; none while no data flows.
  ///
  /// A client cannot see this: a subscription that ends says nothing.
  package var liveStreams: Int {
    guard model.state.deliversData, let newest = model.sockets.last?.session else { return 0 }
    return newest.streams.values.joined().count { !$0.hasExpired }
  }

  /// Takes the list of the requests, so that it begins anew.
  package func takeRequests() -> [ServedRequest] {
    defer { requests = [] }
    return requests
  }
}
