// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Transport

extension IbkrWsClient {
  /// Who sleeps until there is something to do.
  enum Sleeper: Hashable { case connecting, calling, asking, filling }

  /// Sleeps until a time, or until somebody wakes the sleeper; nil for no time.
  func sleep(_ sleeper: Sleeper, until deadline: Int64?) async {
    let timer = deadline.map { deadline in
      loop.schedule(at: deadline) { self.assumeIsolated { $0.wake(sleeper) } }
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // Whoever was to be woken while awake does not sleep at all.
        if phase == .running, !Task.isCancelled, woken.remove(sleeper) == nil {
          sleepers[sleeper] = continuation
        } else {
          continuation.resume()
        }
      }
    } onCancel: {
      loop.schedule(at: 0) { self.assumeIsolated { $0.wake(sleeper) } }
    }
    if let timer { loop.cancel(timer) }
  }

  func wake(_ sleeper: Sleeper) {
    if let continuation = sleepers.removeValue(forKey: sleeper) {
      continuation.resume()
    } else {
      woken.insert(sleeper)
    }
  }

  /// A full subscriber must not lose anything: reading pauses until it has room, but not for ever.
  ///
  /// The server's own patience with a slow reader is not known, and its heartbeats wait unread.
  func waitForSpace() async {
    // Those who are losing events already are not waited for.
    space.reset()
    guard broadcast.isFull else { return }
    let started = loop.now
    heartbeat.pause(at: started)
    pings.stop()
    tell(.connection(.readingPaused))
    let deadline = started + configuration.backpressurePatience.nanoseconds
    while broadcast.isFull, loop.now < deadline, !Task.isCancelled {
      await space.wait(on: loop, until: deadline)
      space.reset()
    }
    if broadcast.isFull {
      broadcast.shed()
      beginOverflow()
    }
    heartbeat.resume(at: loop.now)
    if heartbeat.deadline != nil { pings.heard(at: loop.now) }
    tell(.connection(.readingResumed(after: loop.now - started)))
    rearm()
  }
}
