// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// One piece of work at a time: whoever wants it meanwhile waits for its outcome.
///
/// It belongs to an actor, and its methods run where they are called.
final class SingleFlight {
  private typealias Outcome = Result<Void, IbkrError>

  private var isFlying = false
  private var waiting: [CheckedContinuation<Outcome?, Never>] = []

  /// Does the work, or waits for the one who does it already.
  ///
  /// - Parameter work: The work. Its time must have an end: those who wait cannot be cancelled.
  /// - Throws: What the work throws, whoever did it. If the one who did it was cancelled, another
  ///   one does it again.
  func run(_ work: () async throws(IbkrError) -> Void) async throws(IbkrError) {
    while isFlying {
      if let outcome = await withCheckedContinuation({ waiting.append($0) }) {
        return try outcome.get()
      }
    }
    isFlying = true
    let outcome: Outcome
    do throws(IbkrError) {
      try await work()
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    isFlying = false
    // A failure for the reason that its task was cancelled is nobody else's.
    let told = Task.isCancelled && outcome.isFailure ? nil : outcome
    let toldTo = waiting
    waiting = []
    for waiter in toldTo { waiter.resume(returning: told) }
    try outcome.get()
  }
}

extension Result {
  fileprivate var isFailure: Bool {
    if case .failure = self { true } else { false }
  }
}
