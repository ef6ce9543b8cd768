// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Transport

/// Lets the I/O thread's reader sleep until a full subscriber has room, or until its patience ends.
final class SpaceSignal: Sendable {
  private struct State {
    var waiter: CheckedContinuation<Void, Never>?
    var isRaised = false
  }

  private let state = Locked(State())

  /// Forgets a signal from before: the next wait is for a new one.
  func reset() {
    state.withLock { $0.isRaised = false }
  }

  /// There is room; any thread may say so.
  func raise() {
    let waiter = state.withLock { state in
      state.isRaised = true
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// Waits for the signal, at most until a deadline on the loop's clock.
  func wait(on loop: EventLoop, until deadline: Int64) async {
    let timer = loop.schedule(at: deadline) { self.raise() }
    await wait()
    loop.cancel(timer)
  }

  /// Waits for the signal, for as long as it takes.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isRaised = state.withLock { state in
          if !state.isRaised { state.waiter = continuation }
          return state.isRaised
        }
        if isRaised { continuation.resume() }
      }
    } onCancel: {
      raise()
    }
  }
}
