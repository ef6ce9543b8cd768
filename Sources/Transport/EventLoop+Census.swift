// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

extension EventLoop {
  /// What waits on a loop: nothing, when everything that lived on it has ended.
  package struct Census: Sendable, Hashable {
    /// Closures that are to run, and waits with a deadline.
    package let timers: Int
    /// Tasks that are suspended on the loop.
    package let waits: Int
    /// Descriptors, and ends of pipes in memory.
    package let sources: Int

    /// Whether nothing waits.
    package var isEmpty: Bool { timers == 0 && waits == 0 && sources == 0 }
  }

  /// Counts what waits on the loop now.
  package var census: Census {
    state.withLock { state in
      Census(
        timers: state.timers.count,
        waits: state.waits.count,
        sources: state.sources.count
      )
    }
  }
}
