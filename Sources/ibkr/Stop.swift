// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import Transport

/// Why a command ends, and the wait for it.
///
/// The first SIGINT or SIGTERM asks the command to end well; a second one ends the process at once.
/// SIGHUP does the same, unless the command has another use for it.
final class Stop: Sendable {
  /// What a command ended for.
  enum Reason: Sendable, Hashable {
    /// SIGINT or SIGTERM.
    case signal(Int32)
    /// The time is over.
    case duration
    /// As many messages as wanted have come, or nobody reads any more.
    case finished
  }

  private struct State {
    /// The first reason; no other counts.
    var reason: Reason?
    var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var lastWaiter: UInt64 = 0
  }

  private let loop: EventLoop
  private let state: Latch
  private let watcher: Task<Void, Never>

  /// Starts to listen for signals.
  ///
  /// - Parameters:
  ///   - duration: After how long to end in any case; nil for never.
  ///   - moment: When to end in any case, in nanoseconds since 1970; nil for never.
  ///   - onHangup: What SIGHUP is for; nil if it ends the command.
  /// - Throws: `TransportError` if the system gives no thread or descriptor.
  init(
    after duration: Duration? = nil,
    at moment: Int64? = nil,
    onHangup: (@Sendable () -> Void)? = nil
  ) throws {
    let loop = try EventLoop(name: "signals")
    let signals = try SignalSource([SIGINT, SIGTERM, SIGHUP], on: loop)
    let state = Latch()
    if let duration {
      loop.schedule(at: loop.deadline(after: duration)) { state.set(.duration) }
    }
    if let moment { Self.wait(until: moment, on: loop, state) }
    self.loop = loop
    self.state = state
    watcher = Task {
      var count = 0
      while let signal = try? await signals.next() {
        if signal == SIGHUP, let onHangup {
          onHangup()
          continue
        }
        count += 1
        // The shell's convention for a process that a signal ended.
        if count > 1 {
          // A terminal that takes nothing, and whoever waits for it, shall not hold up the end.
          loop.schedule(at: loop.deadline(after: .seconds(1))) { _exit(128 + signal) }
          LiveTerminal.restore()
          StandardError.show(nil)
          _exit(128 + signal)
        }
        state.set(.signal(signal))
      }
    }
  }

  deinit {
    watcher.cancel()
    loop.stop()
  }

  /// Ends the command when the time of day has come, looking now and then: the clock may be set, and
  /// the machine suspended.
  private static func wait(until moment: Int64, on loop: EventLoop, _ state: Latch) {
    let left = moment - loop.timestamp().realtime
    guard left > 0 else { return state.set(.duration) }
    let pause = min(left, 5_000_000_000)
    loop.schedule(at: loop.deadline(after: .nanoseconds(pause))) { [weak loop] in
      if let loop { wait(until: moment, on: loop, state) }
    }
  }

  /// Ends the command because it has what it was asked for.
  func finish() {
    state.set(.finished)
  }

  /// Waits for the first reason to end.
  ///
  /// - Returns: The reason, nil if the task is cancelled before there is one.
  func reason() async -> Reason? {
    await state.value()
  }

  /// Does something that may take long, unless the command is to end before it is done.
  ///
  /// - Parameter body: What to do; it is cancelled when the command is to end.
  /// - Returns: What the body returns, nil if the command is to end.
  /// - Throws: What the body throws.
  func unlessAsked<Result: Sendable>(
    _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result? {
    try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        _ = await self.reason()
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }

  /// A value that is set once and waited for by anybody.
  private final class Latch: Sendable {
    private let state = Locked(State())

    func set(_ reason: Reason) {
      let waiters = state.withLock { state -> [UInt64: CheckedContinuation<Void, Never>] in
        guard state.reason == nil else { return [:] }
        state.reason = reason
        defer { state.waiters = [:] }
        return state.waiters
      }
      for waiter in waiters.values { waiter.resume() }
    }

    func value() async -> Reason? {
      let id = state.withLock { state in
        state.lastWaiter += 1
        return state.lastWaiter
      }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let isDone = state.withLock { state in
            // Cancelled before this moment, the handler has found nobody to wake.
            if state.reason != nil || Task.isCancelled { return true }
            state.waiters[id] = continuation
            return false
          }
          if isDone { continuation.resume() }
        }
      } onCancel: {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
      }
      return state.withLock { $0.reason }
    }
  }
}

/// A place for what SIGHUP does that is known before the thing is.
final class Hangup: Sendable {
  private let action = Locked<(@Sendable () -> Void)?>(nil)

  /// Says what to do.
  func whenItHappens(_ action: @escaping @Sendable () -> Void) {
    self.action.withLock { $0 = action }
  }

  /// The signal has come.
  func happened() {
    action.withLock { $0 }?()
  }
}
