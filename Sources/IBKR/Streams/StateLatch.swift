// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Tells any number of observers what a state is and what it becomes.
///
/// An observer that is slow misses states, never the newest one.
final class StateLatch<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var observers: [UInt64: AsyncStream<Value>.Continuation] = [:]
    var nextID: UInt64 = 0
    var isFinished = false
  }

  private let state = Locked(State())

  /// How many observers there are.
  var observerCount: Int { state.withLock { $0.observers.count } }

  /// The state as of now, if there is one, then each newer one.
  func values() -> AsyncStream<Value> {
    let (values, observer) = AsyncStream<Value>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let (id, isFinished) = state.withLock { state -> (UInt64, Bool) in
      // Nobody iterates it yet, so this resumes nothing.
      if let value = state.value { observer.yield(value) }
      state.nextID += 1
      if !state.isFinished { state.observers[state.nextID] = observer }
      return (state.nextID, state.isFinished)
    }
    observer.onTermination = { [weak self] _ in self?.remove(id) }
    if isFinished { observer.finish() }
    return values
  }

  /// The state is another one now; only the I/O thread calls this.
  func set(_ value: Value) {
    let observers = state.withLock { state in
      state.value = value
      return state.observers.values
    }
    for observer in observers { observer.yield(value) }
  }

  /// There will be no other state.
  func finish() {
    let observers = state.withLock { state in
      state.isFinished = true
      defer { state.observers = [:] }
      return state.observers.values
    }
    for observer in observers { observer.finish() }
  }

  private func remove(_ id: UInt64) {
    _ = state.withLock { $0.observers.removeValue(forKey: id) }
  }
}
