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
  /// Everything that the closure awaits runs on the loop too, child tasks and `@concurrent` functions
  /// included. A continuation resumes on the executor that its task prefers: without this each wait
  /// would go over the pool of the process, two changes of thread. And on virtual time a child task
  /// on the pool would leave the loop idle for a moment, and its time would run ahead of the task.
  ///
  /// - Parameter body: What to run; what it makes that is not `Sendable` may stay in it.
  /// - Returns: What the closure returns.
  /// - Throws: What the closure throws.
  package func run<Result: Sendable>(
    _ body: @Sendable (isolated LoopActor) async throws -> Result
  ) async rethrows -> Result {
    try await withTaskExecutorPreference(self) { try await body(LoopActor(self)) }
  }
}
