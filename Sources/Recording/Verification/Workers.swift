// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc

/// Does the same to many things on as many threads as there are processors.
///
/// It is for work that is all computing, in a call that waits for its end. The calling thread is one
/// of them; should the system give no other, it does everything.
final class Workers<Item: Sendable, Outcome: Sendable>: Sendable {
  private struct State: Sendable {
    var next = 0
    var outcomes: [Outcome?]
  }

  private let items: [Item]
  private let body: @Sendable (Item) -> Outcome
  private let state: Locked<State>

  private init(_ items: [Item], _ body: @escaping @Sendable (Item) -> Outcome) {
    self.items = items
    self.body = body
    state = Locked(State(outcomes: Array(repeating: nil, count: items.count)))
  }

  /// Does it.
  ///
  /// - Parameters:
  ///   - items: What it is done to.
  ///   - body: What is done.
  /// - Returns: What came of each item, in their order.
  static func map(_ items: [Item], _ body: @escaping @Sendable (Item) -> Outcome) -> [Outcome] {
    let workers = Workers(items, body)
    let helper = Helper { workers.work() }
    let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    let helpers = max(1, min(processors, items.count)) - 1
    let threads = (0..<helpers).compactMap { _ in helper.start() }
    workers.work()
    for thread in threads { pthread_join(thread, nil) }
    return workers.state.withLock { $0.outcomes.compactMap(\.self) }
  }

  private func work() {
    while let index = take() {
      let outcome = body(items[index])
      state.withLock { $0.outcomes[index] = outcome }
    }
  }

  private func take() -> Int? {
    state.withLock { state in
      guard state.next < items.count else { return nil }
      defer { state.next += 1 }
      return state.next
    }
  }
}

/// What a thread does: a C function knows nothing of types that are parameters.
private final class Helper: Sendable {
  private let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }

  /// Starts a thread; nil if the system has none to give.
  func start() -> pthread_t? {
    var thread = pthread_t()
    let me = Unmanaged.passRetained(self)
    let failure = pthread_create(&thread, nil, Self.main, me.toOpaque())
    guard failure == 0 else {
      me.release()
      return nil
    }
    return thread
  }

  private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    context in
    guard let context else { return nil }
    Unmanaged<Helper>.fromOpaque(context).takeRetainedValue().body()
    return nil
  }
}
