// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Says when to ask by REST for orders and executions, and what the answers are worth.
///
/// `sor` cannot be relied on alone: it has been seen silent while orders were filled, and it says
/// nothing at all without orders (protocol reference 4.11). So orders are asked for before the feed
/// is subscribed to, slowly ever after, and after each gap; executions after each gap. A value fed
/// with times and answers; nothing here waits or sends.
struct OrderSync: Sendable {
  /// What to ask.
  enum Question: Hashable, Sendable {
    /// `iserver/account/orders`; forced, the server forgets what it has kept of them and answers with
    /// nothing, which brings back a feed that an earlier call has silenced.
    case orders(isForced: Bool)
    /// `iserver/account/trades`.
    case executions(days: Int)
  }

  /// What an answer is worth.
  enum Verdict: Hashable, Sendable {
    /// Nothing: the server has not looked yet, or it says what it has said before.
    case nothing
    /// It is an event.
    case tell(FrameKind)
  }

  /// The times by which it acts, in nanoseconds.
  struct Timing: Sendable {
    /// Between two questions about orders; nil for none but before a subscription and after a gap.
    var interval: Int64? = 30_000_000_000
    /// Between two questions of one kind, by the server's limits (protocol reference 3.8).
    var spacing: Int64 = 5_000_000_000
    /// The longest time until a question that failed is asked again.
    var lastRetry: Int64 = 60_000_000_000
  }

  /// After so many answers without orders an account is believed to have none, whatever the answer
  /// says of itself: the reference knows of one.
  static let believedEmpty = 4

  private struct Topic: Sendable {
    var isWanted = false
    /// When to ask next.
    var dueAt: Int64?
    /// Since when events may be missing, in nanoseconds since 1970; nil if none are.
    var missingSince: Int64?
    var emptyAnswers = 0
    var failures = 0
  }

  private let timing: Timing
  private var orders = Topic()
  private var executions = Topic()
  private var isOpen = false
  private var asked: Question?
  /// Whether the next question about orders is to be forced, and whether one was in this session.
  private var forces = false
  private var hasForced = false
  /// What the last answer about orders was, and how much the feed had said by then.
  private var told: UInt64?
  private var heard: UInt64 = 0
  /// Whether the server has been asked for orders in this session, so that the feed may begin.
  private(set) var hasOpened = false

  init(timing: Timing = Timing()) {
    self.timing = timing
  }

  // MARK: - What happens

  /// Other feeds are wanted than before.
  mutating func want(orders wantsOrders: Bool, executions wantsExecutions: Bool, at now: Int64) {
    if wantsOrders, !orders.isWanted {
      orders = Topic(isWanted: true, dueAt: isOpen ? now : nil)
      told = nil
    } else if !wantsOrders {
      orders = Topic()
      hasOpened = false
    }
    if wantsExecutions, !executions.isWanted {
      executions = Topic(isWanted: true)
    } else if !wantsExecutions {
      executions = Topic()
    }
  }

  /// The session can be used.
  mutating func opened(at now: Int64) {
    guard !isOpen else { return }
    isOpen = true
    if orders.isWanted { orders.dueAt = now }
    if executions.missingSince != nil { executions.dueAt = now }
  }

  /// The connection or the session is gone: events may be missing.
  ///
  /// - Parameter time: Since when, in nanoseconds since 1970.
  mutating func lost(since time: Int64) {
    guard isOpen else { return }
    (isOpen, hasOpened, hasForced, forces) = (false, false, false, false)
    asked = nil
    missing(since: time)
    for topic in [\OrderSync.orders, \.executions] {
      self[keyPath: topic].dueAt = nil
      self[keyPath: topic].emptyAnswers = 0
      self[keyPath: topic].failures = 0
    }
  }

  /// Somebody has lost events, though the session lives.
  mutating func missed(since time: Int64, at now: Int64) {
    missing(since: time)
    guard isOpen else { return }
    if orders.isWanted { orders.dueAt = min(orders.dueAt ?? now, now) }
    if executions.isWanted { executions.dueAt = min(executions.dueAt ?? now, now) }
  }

  private mutating func missing(since time: Int64) {
    if orders.isWanted { orders.missingSince = min(orders.missingSince ?? time, time) }
    if executions.isWanted { executions.missingSince = min(executions.missingSince ?? time, time) }
  }

  // MARK: - What to ask

  /// When ``next(at:realtime:)`` has something to ask; nil for never, as things are.
  var deadline: Int64? {
    guard isOpen, asked == nil else { return nil }
    return [orders.dueAt, executions.dueAt].compactMap(\.self).min()
  }

  /// What is to be asked now; the next question waits for its answer.
  ///
  /// - Parameters:
  ///   - now: The monotonic clock.
  ///   - realtime: The time, in nanoseconds since 1970.
  /// - Returns: The question, nil if it is not time for one.
  mutating func next(at now: Int64, realtime: Int64) -> Question? {
    guard isOpen, asked == nil else { return nil }
    if let due = orders.dueAt, due <= now {
      asked = .orders(isForced: forces)
    } else if let due = executions.dueAt, due <= now {
      // Today is the default, and nobody knows in which time zone.
      let missing = max(0, realtime - (executions.missingSince ?? realtime))
      let days = 2 + missing / 86_400_000_000_000
      asked = .executions(days: Int(min(days, 7)))
    }
    return asked
  }

  /// The answer to a question.
  ///
  /// - Parameters:
  ///   - question: The question.
  ///   - answer: What came.
  ///   - heard: How many messages the feed of orders has had so far.
  ///   - now: The monotonic clock.
  /// - Returns: Whether the answer is an event.
  mutating func answered(
    _ question: Question,
    _ answer: Answer,
    heard: UInt64,
    at now: Int64
  ) -> Verdict {
    // The session of the question is gone, or nobody wants the answer any longer.
    guard asked == question else { return .nothing }
    asked = nil
    switch question {
    case .orders(isForced: true):
      orders.failures = 0
      (hasForced, forces) = (true, false)
      if orders.isWanted { orders.dueAt = now + timing.spacing }
      return .nothing
    case .orders(isForced: false):
      return orders.isWanted ? judge(answer, heard: heard, at: now) : .nothing
    case .executions:
      guard executions.isWanted else { return .nothing }
      executions.failures = 0
      // In a fresh session the first answer may be empty (protocol reference 6.6).
      if answer.isEmpty, executions.emptyAnswers == 0 {
        executions.emptyAnswers = 1
        executions.dueAt = now + timing.spacing
        return .nothing
      }
      executions.dueAt = nil
      executions.missingSince = nil
      return .tell(.resync)
    }
  }

  private mutating func judge(_ answer: Answer, heard: UInt64, at now: Int64) -> Verdict {
    orders.failures = 0
    defer { self.heard = heard }
    if answer.isEmpty, answer.isSnapshot != true, orders.emptyAnswers + 1 < Self.believedEmpty {
      orders.emptyAnswers += 1
      forces = orders.emptyAnswers == 2 && !hasForced
      orders.dueAt = now + timing.spacing
      return .nothing
    }
    let isKnown = told == answer.digest
    // News that the feed has not brought: an earlier call may have silenced it.
    let isAsleep = hasOpened && !isKnown && heard == self.heard && orders.missingSince == nil
    forces = isAsleep && !hasForced
    hasOpened = true
    told = answer.digest
    orders.dueAt = forces ? now + timing.spacing : timing.interval.map { now + $0 }
    if orders.missingSince != nil {
      orders.missingSince = nil
      return .tell(.resync)
    }
    return isKnown ? .nothing : .tell(.poll)
  }

  /// A question was not answered, or by an error.
  ///
  /// - Parameters:
  ///   - question: The question.
  ///   - retryAfter: How long to wait, if the error says so.
  ///   - now: The monotonic clock.
  mutating func failed(_ question: Question, retryAfter: Int64?, at now: Int64) {
    guard asked == question else { return }
    asked = nil
    switch question {
    case .orders:
      // The feed must not wait for what may never come.
      hasOpened = true
      // One that is refused is not insisted on.
      if forces { (hasForced, forces) = (true, false) }
      orders.failures += 1
      if orders.isWanted { orders.dueAt = now + delay(orders.failures, retryAfter) }
    case .executions:
      executions.failures += 1
      if executions.isWanted { executions.dueAt = now + delay(executions.failures, retryAfter) }
    }
  }

  private func delay(_ failures: Int, _ retryAfter: Int64?) -> Int64 {
    max(min(timing.spacing << min(failures - 1, 16), timing.lastRetry), retryAfter ?? 0)
  }
}

extension OrderSync {
  /// What an answer by REST says of itself.
  struct Answer: Hashable, Sendable {
    /// Whether there is nothing in it.
    var isEmpty: Bool
    /// `snapshot`: whether the server has looked; nil if it does not say.
    var isSnapshot: Bool?
    /// A digest of its bytes.
    var digest: UInt64
  }
}
