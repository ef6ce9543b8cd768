// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import CLinux
package import Flow
import Glibc
import Synchronization

/// One thread that runs actors, watches descriptors and keeps time.
///
/// The loop is the executor of every actor of a connection, so that reading, decrypting and
/// decoding need neither a hop nor a lock: 0.2 µs from actor to actor here, 10 µs between two
/// executors. Nothing on it may block.
///
/// Three things make the thread act: jobs of its actors, timers, and descriptors that became
/// ready. Jobs come first; the clock and `epoll` are asked between rounds of them.
///
/// A loop on virtual time (for tests) is the same loop with another clock: when no job can run,
/// its time jumps to the next timer.
public final class EventLoop: SerialExecutor, TaskExecutor, Sendable {
  /// The life of the loop's thread.
  enum Phase {
    case running
    /// `stop()` was called: waits end, jobs already there are run.
    case stopping
    /// The thread is gone. A job that comes now gets a thread of its own for as long as it takes,
    /// because a job that is dropped leaves its task hanging.
    case stopped
  }

  /// What a timer does.
  enum TimerAction: Sendable {
    case wake(wait: UInt64)
    case run(@Sendable () -> Void)
  }

  /// Everything that other threads may touch.
  struct State: Sendable {
    var phase = Phase.running
    var thread: pthread_t?
    var jobs: [UnownedJob] = []
    /// The thread sleeps, or is about to, and must be woken for news.
    var isParked = false
    var timers = TimerQueue<TimerAction>()
    var waits: [UInt64: Wait] = [:]
    var sources: [UInt64: Source] = [:]
    var lastWait: UInt64 = 0
    var lastSource: UInt32 = 0
    var virtual: VirtualTime?
  }

  /// The name of the loop and, its first 15 bytes, of the thread.
  public let name: String

  private let niceness: Int32
  let state: Locked<State>
  let isVirtual: Bool
  let epoll: FileDescriptor
  private let bell: FileDescriptor
  private let threadID = Atomic<UInt>(0)

  /// Starts a loop on the machine's clocks.
  ///
  /// The thread and the loop live until `stop()`.
  ///
  /// - Parameter name: A name for debuggers and `top`.
  /// - Throws: `TransportError` if the system gives no thread or descriptor.
  public convenience init(name: String) throws(TransportError) {
    try self.init(name: name, niceness: 0, virtual: nil)
  }

  /// Starts a loop that stands back where others want the processor too.
  ///
  /// - Parameters:
  ///   - name: A name for debuggers and `top`.
  ///   - niceness: How far, as `nice` counts it: 0 to 19.
  /// - Throws: `TransportError` if the system gives no thread or descriptor.
  package convenience init(name: String, niceness: Int32) throws(TransportError) {
    try self.init(name: name, niceness: niceness, virtual: nil)
  }

  /// Starts a loop on virtual time.
  ///
  /// - Parameters:
  ///   - start: What the clocks show first.
  ///   - advance: What moves them.
  /// - Throws: `TransportError` if the system gives no thread or descriptor.
  package convenience init(
    virtual start: Timestamp,
    advance: VirtualAdvance = .whenIdle
  ) throws(TransportError) {
    try self.init(
      name: "virtual",
      niceness: 0,
      virtual: VirtualTime(now: start, advance: advance)
    )
  }

  private init(
    name: String,
    niceness: Int32,
    virtual: VirtualTime?
  ) throws(TransportError) {
    self.name = name
    self.niceness = niceness
    isVirtual = virtual != nil
    state = Locked(State(virtual: virtual))
    epoll = try FileDescriptor(epoll_create1(Int32(EPOLL_CLOEXEC)), from: "epoll_create1")
    bell = try FileDescriptor(
      eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)),
      from: "eventfd"
    )
    // Each ring is an edge, so the counter behind it is never read.
    var event = epoll_event(
      events: EPOLLIN.rawValue | EPOLLET.rawValue,
      data: epoll_data_t(u64: Self.bellKey)
    )
    guard epoll_ctl(epoll.raw, EPOLL_CTL_ADD, bell.raw, &event) == 0 else {
      throw .system("epoll_ctl for the bell of loop \(name)")
    }
    try startThread()
  }

  /// The key of the bell's descriptor in `epoll`; no source has it, their numbers start at 1.
  static let bellKey: UInt64 = 0

  // MARK: - Executor

  /// Takes a job to run on the loop's thread; any thread may call it.
  ///
  /// - Parameter job: The job.
  public func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    // The runtime knows its executors without owning them. Once the job is in the list it may run,
    // and with it may go the last owner of this loop, while there is still a bell to ring here.
    let owned = Unmanaged.passRetained(self)
    defer { owned.release() }
    enum News { case none, ring, restart }
    let news: News = state.withLock { state in
      state.jobs.append(unowned)
      if state.phase == .stopped {
        state.phase = .stopping
        return .restart
      }
      return Self.unpark(&state) ? .ring : .none
    }
    switch news {
    case .none: break
    case .ring: ring()
    case .restart:
      // Without a thread the job's task would wait for ever, which is all that is left if the
      // system has no thread to give.
      try? startThread()
    }
  }

  /// The loop as the executor of an actor.
  ///
  /// - Returns: What an actor's `unownedExecutor` returns.
  public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }

  /// Stops the process unless the caller is on the loop's thread.
  public func checkIsolated() {
    precondition(isOnLoop, "not on the thread of event loop \(name)")
  }

  /// Whether the caller is on the loop's thread.
  ///
  /// - Returns: True on the thread.
  public func isIsolatingCurrentContext() -> Bool? { isOnLoop }

  /// Whether the calling thread is the loop's.
  package var isOnLoop: Bool { threadID.load(ordering: .relaxed) == UInt(pthread_self()) }

  /// Ends the loop: waits end with `.closed`, timers are dropped, jobs that are there are run.
  ///
  /// Returns when the thread has ended; called on the loop itself it only starts the end. A second
  /// call does nothing.
  public func stop() {
    let thread = state.withLock { state -> pthread_t? in
      if state.phase == .running { state.phase = .stopping }
      _ = Self.unpark(&state)
      defer { state.thread = nil }
      return state.thread
    }
    guard let thread else { return }
    ring()
    if isOnLoop { pthread_detach(thread) } else { pthread_join(thread, nil) }
  }

  /// Notes that the thread need not sleep; true if the caller must `ring()` after unlocking.
  static func unpark(_ state: inout State) -> Bool {
    defer { state.isParked = false }
    return state.isParked
  }

  /// Wakes the thread.
  func ring() {
    var one: UInt64 = 1
    // It can only fail when the counter is full: after 584 years of a ring each nanosecond.
    _ = write(bell.raw, &one, 8)
  }

  // MARK: - Thread

  private func startThread() throws(TransportError) {
    // Signals belong to other threads; blocked here before the thread exists, so that there is no
    // moment at which it could take one.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

    var thread = pthread_t()
    let me = Unmanaged.passRetained(self)
    let failure = pthread_create(&thread, nil, Self.threadMain, me.toOpaque())
    guard failure == 0 else {
      me.release()
      throw .system("pthread_create for loop \(name)", errno: failure)
    }
    let isFirst = state.withLock { state in
      guard state.phase == .running, state.thread == nil else { return false }
      state.thread = thread
      return true
    }
    if !isFirst { pthread_detach(thread) }
  }

  private static let threadMain:
    @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
      { context in
        guard let context else { return nil }
        let loop = Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue()
        clinux_name_thread(loop.name)
        if loop.niceness > 0 { clinux_nice_thread(loop.niceness) }
        loop.threadID.store(UInt(pthread_self()), ordering: .relaxed)
        loop.run()
        return nil
      }

  private enum Step {
    case again
    case poll(milliseconds: Int32)
    case end
  }

  /// The thread's life: jobs, timers, descriptors, and again.
  private func run() {
    var batch: [UnownedJob] = []
    var events = [epoll_event](repeating: epoll_event(), count: 64)
    while true {
      // Descriptors must get their turn even when jobs beget jobs without end.
      for _ in 0..<64 {
        state.withLock { swap(&batch, &$0.jobs) }
        if batch.isEmpty { break }
        for job in batch { run(job) }
        batch.removeAll(keepingCapacity: true)
      }
      fireTimers()
      switch nextStep() {
      case .again: continue
      case .poll(let milliseconds): poll(&events, timeout: milliseconds)
      case .end: return
      }
    }
  }

  private func run(_ job: UnownedJob) {
    // As both, so that a task that prefers the loop goes from an actor's code to nobody's and back
    // without being queued again.
    job.runSynchronously(
      isolatedTo: asUnownedSerialExecutor(),
      taskExecutor: asUnownedTaskExecutor()
    )
  }

  private func fireTimers() {
    let now = self.now
    while let action = state.withLock({ $0.timers.popDue(at: now) }) {
      switch action {
      case .run(let body): body()
      case .wake(let wait): finish(wait, .timedOut)
      }
    }
  }

  private func nextStep() -> Step {
    let now = isVirtual ? 0 : self.now
    var ended: [Wait] = []
    let step = state.withLock { state -> Step in
      if state.phase != .running {
        ended = Array(state.waits.values)
        state.waits.removeAll()
        state.timers.removeAll()
        if let settled = state.virtual?.abandon() { ended += settled }
        guard ended.isEmpty, state.jobs.isEmpty else { return .again }
        state.phase = .stopped
        threadID.store(0, ordering: .relaxed)
        return .end
      }
      guard state.jobs.isEmpty else { return .poll(milliseconds: 0) }
      let deadline = state.timers.nextDeadline()
      if state.virtual != nil {
        let moved = state.virtual?.idle(nextTimer: deadline, ended: &ended) ?? false
        if moved { return .again }
        state.isParked = true
        return .poll(milliseconds: -1)
      }
      state.isParked = true
      return .poll(milliseconds: Self.milliseconds(from: now, until: deadline))
    }
    for wait in ended { wait.continuation.resume(returning: wait.endOutcome) }
    return step
  }

  /// A timeout for `epoll_wait`, rounded up so that the timer is due when it returns.
  private static func milliseconds(from now: Int64, until deadline: Int64?) -> Int32 {
    guard let deadline else { return -1 }
    guard deadline > now else { return 0 }
    let (distance, overflow) = deadline.subtractingReportingOverflow(now)
    return overflow ? .max : Int32(clamping: distance / 1_000_000 + 1)
  }

  private func poll(_ events: inout [epoll_event], timeout: Int32) {
    let count = epoll_wait(epoll.raw, &events, Int32(events.count), timeout)
    state.withLock { $0.isParked = false }
    // Signals are blocked in this thread, so a failure leaves nothing to look at and nothing to do.
    guard count > 0 else { return }
    for event in events[..<Int(count)] {
      guard event.data.u64 != Self.bellKey else { continue }
      let broken = event.events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
      signal(
        event.data.u64,
        readable: broken || event.events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0,
        writable: broken || event.events & EPOLLOUT.rawValue != 0
      )
    }
  }
}
