// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import CLinux
import Flow
import Glibc

extension EventLoop {
  /// Something that becomes readable and writable: a descriptor, or the end of a pipe in memory.
  ///
  /// The key is also what `epoll` reports. It holds a running number beside the descriptor, so that
  /// an event for a descriptor that was closed, and whose number was given out again, finds nobody.
  struct SourceID: Sendable, Hashable {
    let key: UInt64
  }

  enum Direction: Sendable {
    case readable, writable
  }

  /// A source's state.
  ///
  /// Readiness is latched: `epoll` reports an edge once, perhaps while nobody waits, and the next
  /// wait must know of it.
  struct Source: Sendable {
    struct Side: Sendable {
      /// A new source is ready until trying has shown otherwise.
      var isReady = true
      /// The waits to wake.
      ///
      /// Usually one; TLS may have a writer that must read first. Those that have ended otherwise
      /// are dropped when the next one comes.
      var waiters: [UInt64] = []
    }

    var readable = Side()
    var writable = Side()
  }

  /// How a wait ended.
  package enum WaitOutcome: Sendable {
    case ready
    case timedOut
    case cancelled
    /// The source or the loop was closed.
    case closed
  }

  /// A task that is suspended on the loop.
  struct Wait: Sendable {
    let continuation: CheckedContinuation<WaitOutcome, Never>
    var timer: UInt64?
    /// What it is told when the loop ends it.
    var endOutcome = WaitOutcome.closed
  }

  // MARK: - Sources

  /// Registers a descriptor, once for its life, edge-triggered in both directions.
  func open(descriptor: Int32) throws(TransportError) -> SourceID {
    guard !isVirtual else {
      throw TransportError(.notSupported, "a loop on virtual time has no descriptors")
    }
    let id = addSource(low: UInt32(bitPattern: descriptor))
    var event = epoll_event(
      events: EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue,
      data: epoll_data_t(u64: id.key)
    )
    guard epoll_ctl(epoll.raw, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
      let error = TransportError.system("epoll_ctl")
      close(id)
      throw error
    }
    return id
  }

  /// Registers something that is signalled by hand.
  func openInMemory() -> SourceID {
    addSource(low: .max)
  }

  private func addSource(low: UInt32) -> SourceID {
    state.withLock { state in
      state.lastSource &+= 1
      if state.lastSource == 0 { state.lastSource = 1 }
      let id = SourceID(key: UInt64(state.lastSource) << 32 | UInt64(low))
      state.sources[id.key] = Source()
      return id
    }
  }

  /// Forgets a source and ends the waits on it with `.closed`.
  ///
  /// A descriptor leaves `epoll` by being closed, which the caller does next.
  func close(_ id: SourceID) {
    let ids = state.withLock { state -> [UInt64] in
      guard let source = state.sources.removeValue(forKey: id.key) else { return [] }
      return source.readable.waiters + source.writable.waiters
    }
    for wait in ids { finish(wait, .closed) }
  }

  /// Notes that a source is ready and wakes who waits for it; any thread may call it.
  func signal(_ key: UInt64, readable: Bool, writable: Bool) {
    let woken = state.withLock { state -> [Wait] in
      guard let index = state.sources.index(forKey: key) else { return [] }
      var woken: [Wait] = []
      if readable {
        Self.latch(&state.sources.values[index].readable, &state.waits, &state.timers, &woken)
      }
      if writable {
        Self.latch(&state.sources.values[index].writable, &state.waits, &state.timers, &woken)
      }
      return woken
    }
    for wait in woken { wait.continuation.resume(returning: .ready) }
  }

  /// Hands the edge to the waiters if there are any, else keeps it.
  private static func latch(
    _ side: inout Source.Side,
    _ waits: inout [UInt64: Wait],
    _ timers: inout TimerQueue<TimerAction>,
    _ woken: inout [Wait]
  ) {
    let before = woken.count
    for id in side.waiters {
      guard let wait = waits.removeValue(forKey: id) else { continue }
      if let timer = wait.timer { timers.remove(timer) }
      woken.append(wait)
    }
    side.waiters.removeAll(keepingCapacity: true)
    if woken.count == before { side.isReady = true }
  }

  // MARK: - Waits

  /// Suspends until one of some sources is ready, at most until a deadline.
  ///
  /// A wait may end `.ready` without need: try, and wait again if it would block.
  ///
  /// - Parameters:
  ///   - sources: What to wait for; none to sleep.
  ///   - direction: Which direction of all of them.
  ///   - deadline: The monotonic time to give up at.
  ///   - isolation: Where the caller runs.
  /// - Returns: How it ended.
  func wait(
    for sources: [SourceID] = [],
    _ direction: Direction = .readable,
    deadline: Int64? = nil,
    isolation: isolated (any Actor)? = #isolation
  ) async -> WaitOutcome {
    let id = state.withLock { state in
      state.lastWait += 1
      return state.lastWait
    }
    return await withTaskCancellationHandler {
      // A closure has the isolation that it captures. Without this one it would run on the global
      // executor: two changes of thread for every wait.
      _ = isolation
      return await withCheckedContinuation { continuation in
        install(id, continuation, sources, direction, deadline)
        // The handler may have run before there was anything for it to end; from here on it
        // finds the wait.
        if Task.isCancelled { finish(id, .cancelled) }
      }
    } onCancel: {
      finish(id, .cancelled)
    }
  }

  private func install(
    _ id: UInt64,
    _ continuation: CheckedContinuation<WaitOutcome, Never>,
    _ sources: [SourceID],
    _ direction: Direction,
    _ deadline: Int64?
  ) {
    let (outcome, mustRing) = state.withLock { state -> (WaitOutcome?, Bool) in
      guard state.phase == .running else { return (.closed, false) }
      for source in sources {
        guard let index = state.sources.index(forKey: source.key) else { return (.closed, false) }
        if Self.takeEdge(&state.sources.values[index], direction) { return (.ready, false) }
      }
      for source in sources {
        guard let index = state.sources.index(forKey: source.key) else { continue }
        switch direction {
        case .readable: Self.add(id, to: &state.sources.values[index].readable, state.waits)
        case .writable: Self.add(id, to: &state.sources.values[index].writable, state.waits)
        }
      }
      var wait = Wait(continuation: continuation)
      var mustRing = false
      if let deadline {
        wait.timer = state.timers.insert(at: deadline, .wake(wait: id))
        mustRing = Self.unpark(&state)
      }
      state.waits[id] = wait
      return (nil, mustRing)
    }
    if mustRing { ring() }
    if let outcome { continuation.resume(returning: outcome) }
  }

  private static func takeEdge(_ source: inout Source, _ direction: Direction) -> Bool {
    switch direction {
    case .readable:
      defer { source.readable.isReady = false }
      return source.readable.isReady
    case .writable:
      defer { source.writable.isReady = false }
      return source.writable.isReady
    }
  }

  private static func add(_ id: UInt64, to side: inout Source.Side, _ waits: [UInt64: Wait]) {
    if !side.waiters.isEmpty { side.waiters.removeAll { waits[$0] == nil } }
    side.waiters.append(id)
  }

  /// Ends a wait, if it has not ended yet.
  func finish(_ id: UInt64, _ outcome: WaitOutcome) {
    let wait = state.withLock { state -> Wait? in
      guard let wait = state.waits.removeValue(forKey: id) else { return nil }
      if let timer = wait.timer { state.timers.remove(timer) }
      return wait
    }
    wait?.continuation.resume(returning: outcome)
  }
}
