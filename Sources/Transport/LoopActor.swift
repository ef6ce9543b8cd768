// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// An actor without state of its own: a place on a loop to run code in.
package actor LoopActor {
  private nonisolated let loop: EventLoop

  /// The loop's thread.
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  fileprivate init(_ loop: EventLoop) {
    self.loop = loop
  }
}

extension EventLoop {
  /// Runs a closure on the loop.
  ///
  /// On virtual time everything that the closure awaits runs on the loop too, child tasks and
  /// `@concurrent` functions included: a child task that started on the global pool would leave
  /// the loop idle for a moment, and its time would run ahead of the task.
  ///
  /// - Parameter body: What to run; what it makes that is not `Sendable` may stay in it.
  /// - Returns: What the closure returns.
  /// - Throws: What the closure throws.
  package func run<Result: Sendable>(
    _ body: @Sendable (isolated LoopActor) async throws -> Result
  ) async rethrows -> Result {
    guard isVirtual else { return try await body(LoopActor(self)) }
    return try await withTaskExecutorPreference(self) { try await body(LoopActor(self)) }
  }
}
