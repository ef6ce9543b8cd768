// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import Flow
import Glibc

/// A timer that was set on a loop, to cancel it by.
package struct TimerToken: Sendable, Hashable {
  fileprivate let id: UInt64
}

extension EventLoop {
  /// The monotonic clock in nanoseconds: what deadlines are counted in.
  package var now: Int64 {
    isVirtual ? timestamp().monotonic : Self.read(CLOCK_MONOTONIC)
  }

  /// What the three clocks show.
  package func timestamp() -> Timestamp {
    if isVirtual, let now = state.withLock({ $0.virtual?.now }) { return now }
    return Timestamp(
      realtime: Self.read(CLOCK_REALTIME),
      monotonic: Self.read(CLOCK_MONOTONIC),
      boot: Self.read(CLOCK_BOOTTIME)
    )
  }

  /// The moment that lies a duration after now, as a deadline.
  package func deadline(after duration: Duration) -> Int64 {
    let (sum, overflow) = now.addingReportingOverflow(duration.nanoseconds)
    return overflow ? .max : sum
  }

  /// Where tasks run that nobody awaits: nil for the pool of the process.
  ///
  /// On virtual time it is the loop itself, whose time would otherwise run ahead of them.
  package var background: (any TaskExecutor)? { isVirtual ? self : nil }

  /// The realtime clock of the machine, in nanoseconds since 1970: for log lines, which belong to no
  /// loop.
  package static var realtime: Int64 { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Sleeps until the monotonic clock shows a time.
  ///
  /// - Parameter monotonic: The time in nanoseconds; one that has passed returns at once.
  /// - Throws: `CancellationError` if the task is cancelled, or the loop stopped, before then.
  package func sleep(until monotonic: Int64) async throws(CancellationError) {
    guard await wait(deadline: monotonic) == .timedOut else { throw CancellationError() }
  }

  /// Sleeps for a duration.
  ///
  /// - Parameter duration: How long.
  /// - Throws: `CancellationError` if the task is cancelled, or the loop stopped, before then.
  package func sleep(for duration: Duration) async throws(CancellationError) {
    try await sleep(until: deadline(after: duration))
  }

  /// Runs a closure on the loop's thread when the monotonic clock shows a time.
  ///
  /// - Parameters:
  ///   - monotonic: The time in nanoseconds.
  ///   - body: What to run; an actor of this loop is reached with `assumeIsolated`.
  /// - Returns: What `cancel` takes.
  @discardableResult
  package func schedule(at monotonic: Int64, _ body: @escaping @Sendable () -> Void) -> TimerToken {
    let (id, mustRing) = state.withLock { state in
      (state.timers.insert(at: monotonic, .run(body)), Self.unpark(&state))
    }
    if mustRing { ring() }
    return TimerToken(id: id)
  }

  /// Takes back a scheduled closure; nothing happens if it has run.
  package func cancel(_ token: TimerToken) {
    state.withLock { $0.timers.remove(token.id) }
  }
}
