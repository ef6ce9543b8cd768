// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// What moves the clocks of a loop on virtual time.
package enum VirtualAdvance: Sendable {
  /// The loop itself: when no job can run, time jumps to the next timer. For scenarios whose
  /// actors all live on the loop; hours pass in moments, always in the same order.
  case whenIdle
  /// Only `advance(by:)`. For tests that act from outside.
  case onDemand
}

/// The clocks of a loop on virtual time.
struct VirtualTime: Sendable {
  private(set) var now: Timestamp
  private let advance: VirtualAdvance
  private var holds = 0
  /// Callers of `advance(by:)`, each with the time it waits for.
  private var callers: [(target: Int64, wait: EventLoop.Wait)] = []

  init(now: Timestamp, advance: VirtualAdvance) {
    self.now = now
    self.advance = advance
  }

  mutating func add(_ nanoseconds: Int64, caller: EventLoop.Wait) {
    callers.append((now.monotonic + nanoseconds, caller))
  }

  mutating func hold(_ change: Int) { holds += change }

  mutating func pass(_ nanoseconds: Int64) {
    move(to: now.monotonic + nanoseconds)
  }

  mutating func shift(realtime: Int64, boot: Int64) {
    now.realtime += realtime
    now.boot += boot
  }

  /// No job can run: moves on to the next timer, or as far as the callers ask and no farther.
  ///
  /// - Returns: Whether time has moved, so that a timer may be due.
  mutating func idle(nextTimer: Int64?, ended: inout [EventLoop.Wait]) -> Bool {
    guard holds == 0 else { return false }
    let wanted = callers.map(\.target).max()
    let horizon = advance == .whenIdle ? .max : wanted ?? now.monotonic
    if let nextTimer, nextTimer <= horizon {
      move(to: nextTimer)
      return true
    }
    guard let wanted else { return false }
    move(to: wanted)
    ended += callers.map(\.wait)
    callers.removeAll()
    return false
  }

  /// Gives up the callers' waits, because the loop stops.
  mutating func abandon() -> [EventLoop.Wait] {
    defer { callers.removeAll() }
    return callers.map(\.wait)
  }

  private mutating func move(to time: Int64) {
    now = now.advanced(by: max(0, time - now.monotonic))
  }
}

extension EventLoop {
  /// Lets virtual time pass, and returns when everything due in it has been done.
  ///
  /// With zero it only waits until the loop has nothing more to do now. On a loop with the
  /// machine's clocks it returns at once.
  ///
  /// - Parameter duration: How much time passes.
  package func advance(by duration: Duration) async {
    guard isVirtual else { return }
    _ = await withCheckedContinuation { continuation in
      let (wait, mustRing) = state.withLock { state -> (Wait?, Bool) in
        let wait = Wait(continuation: continuation)
        guard state.phase == .running else { return (wait, false) }
        state.virtual?.add(duration.nanoseconds, caller: wait)
        return (nil, Self.unpark(&state))
      }
      wait?.continuation.resume(returning: .closed)
      if mustRing { ring() }
    }
  }

  /// Does something off the loop while virtual time stands still.
  ///
  /// Work on another executor leaves the loop idle, and without this its time would run away
  /// meanwhile. On a loop with the machine's clocks it only runs the closure.
  ///
  /// - Parameter body: What to do.
  /// - Returns: What the closure returns.
  /// - Throws: What the closure throws.
  package func holdingTime<Result, Failure: Error>(
    _ body: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    guard isVirtual else { return try await body() }
    hold(1)
    defer { hold(-1) }
    return try await body()
  }

  private func hold(_ change: Int) {
    let mustRing = state.withLock { state in
      state.virtual?.hold(change)
      return Self.unpark(&state)
    }
    if mustRing { ring() }
  }

  /// Lets virtual time pass at once, as work does that takes long: timers that become due wait for it.
  ///
  /// - Parameter duration: How long the work takes.
  package func spend(_ duration: Duration) {
    state.withLock { $0.virtual?.pass(duration.nanoseconds) }
  }

  /// Moves the realtime and boot clocks of virtual time apart from the monotonic one.
  ///
  /// - Parameters:
  ///   - realtime: How far the realtime clock is set, in nanoseconds.
  ///   - boot: How long the machine slept, in nanoseconds.
  package func shiftClocks(realtime: Int64, boot: Int64) {
    state.withLock { $0.virtual?.shift(realtime: realtime, boot: boot) }
  }
}
