// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1

/// Decides when each request may be sent, so that no limit of IBKR's is ever exceeded.
///
/// It knows no clock: the times are monotonic and come from outside, never earlier than before.
struct Pacer: Sendable {
  typealias Ticket = UInt64

  /// What becomes of a request.
  enum Verdict: Sendable, Hashable {
    /// It may be sent now.
    case send
    /// It must not be sent, and is worth asking for again after so many nanoseconds.
    case refuse(after: Int64)
  }

  private struct Request: Sendable {
    let ticket: Ticket
    /// The place of its rule in the table.
    let rule: Int?
    let urgency: CallUrgency
    let deadline: Int64
  }

  /// Tokens that back-fill leaves to the others.
  static let reserve = 3

  private var waiting: [Request] = []
  private var underWay: [Ticket: (rule: Int?, sentAt: Int64)] = [:]
  private var everything = TokenBucket(
    PacingRule.everything.count,
    per: PacingRule.everything.period
  )
  /// Those of each rule of the table.
  private var buckets = PacingRule.table.map { rule in
    rule.limits.map { TokenBucket($0.count, per: $0.period) }
  }
  /// Requests without an answer, since the last answer to any, with the times at which they count.
  ///
  /// A network that stands still keeps them, and delivers them when it goes again.
  private var unheard: [(rule: Int?, countedAt: Int64)] = []
  private static let mostUnheard = 32
  private var circuit = Circuit()
  private var lastTicket: Ticket = 0

  /// Nothing has been sent yet.
  init() {}

  /// Puts a request into the queue; ``decide(at:)`` says what becomes of it.
  ///
  /// - Parameters:
  ///   - method: The method.
  ///   - path: The path below the base.
  ///   - urgency: How urgent it is.
  ///   - now: The monotonic time.
  ///   - patience: How long it may wait, in nanoseconds.
  /// - Returns: The request's number.
  mutating func enqueue(
    _ method: HTTPMethod,
    _ path: String,
    _ urgency: CallUrgency,
    at now: Int64,
    patience: Int64
  ) -> Ticket {
    lastTicket += 1
    let request = Request(
      ticket: lastTicket,
      rule: PacingRule.index(of: method, path),
      urgency: urgency,
      deadline: now + patience
    )
    // The urgent first, and those that are alike in their order.
    let index = waiting.firstIndex { $0.urgency < urgency } ?? waiting.endIndex
    waiting.insert(request, at: index)
    return lastTicket
  }

  /// Decides about all requests that need not wait any longer.
  ///
  /// - Parameter now: The monotonic time.
  /// - Returns: The requests, in the order in which they are to be sent.
  mutating func decide(at now: Int64) -> [(ticket: Ticket, verdict: Verdict)] {
    var decisions: [(ticket: Ticket, verdict: Verdict)] = []
    var rest: [Request] = []
    for request in waiting {
      let time = time(of: request, at: now)
      if let time, time <= now {
        send(request, at: now)
        decisions.append((request.ticket, .send))
      } else if let end = circuit.pause(at: now) {
        decisions.append((request.ticket, .refuse(after: end - now)))
      } else if max(time ?? now, now + 1) > request.deadline {
        // Waiting for longer than anybody waits for an answer would look like a server that hangs.
        let wait = max((time ?? now) - now, 1_000_000_000)
        decisions.append((request.ticket, .refuse(after: wait)))
      } else {
        rest.append(request)
      }
    }
    waiting = rest
    return decisions
  }

  /// When ``decide(at:)`` has something to say, if nothing else happens; nil for never.
  func deadline(at now: Int64) -> Int64? {
    waiting.map { request in
      min(time(of: request, at: now) ?? .max, request.deadline)
    }
    .min()
  }

  /// A request that waited is not wanted any longer.
  mutating func withdraw(_ ticket: Ticket) {
    waiting.removeAll { $0.ticket == ticket }
  }

  /// A request has been answered, or will not be.
  ///
  /// What was not answered may reach the server as late as the next request that is: so it counts
  /// from its end on, and once more from the next answer on.
  ///
  /// - Parameters:
  ///   - ticket: The request.
  ///   - isAnswered: Whether there was an answer.
  ///   - now: The monotonic time.
  mutating func ended(_ ticket: Ticket, isAnswered: Bool, at now: Int64) {
    let request = underWay.removeValue(forKey: ticket)
    circuit.ended(ticket, isAnswered: isAnswered)
    if isAnswered {
      for (rule, time) in unheard { postpone(rule, from: time, to: now) }
      unheard = []
    } else if let request {
      postpone(request.rule, from: request.sentAt, to: now)
      if unheard.count == Self.mostUnheard { unheard.removeFirst() }
      unheard.append((request.rule, now))
    }
  }

  private mutating func postpone(_ rule: Int?, from time: Int64, to now: Int64) {
    everything.postpone(time, to: now)
    guard let rule else { return }
    for index in buckets[rule].indices { buckets[rule][index].postpone(time, to: now) }
  }

  /// A request was answered by 429.
  ///
  /// - Parameters:
  ///   - ticket: The request.
  ///   - retryAfter: What the server said, in nanoseconds.
  ///   - now: The monotonic time.
  /// - Returns: For how long nothing will be sent, in nanoseconds.
  mutating func refused(_ ticket: Ticket, retryAfter: Int64?, at now: Int64) -> Int64 {
    let sentAt = underWay.removeValue(forKey: ticket)?.sentAt ?? now
    circuit.refused(ticket, sentAt: sentAt, retryAfter: retryAfter, at: now)
    return circuit.pause(at: now).map { $0 - now } ?? 0
  }

  /// When a request may be sent; nil if that depends on the end of another one.
  private func time(of request: Request, at now: Int64) -> Int64? {
    guard circuit.admits(at: now) else { return circuit.pause(at: now) }
    let count = request.urgency == .backfill ? 1 + Self.reserve : 1
    var time = everything.time(of: count, at: now)
    guard let rule = request.rule else { return time }
    if let limit = PacingRule.table[rule].concurrent,
      underWay.values.count(where: { $0.rule == rule }) >= limit
    {
      return nil
    }
    for bucket in buckets[rule] { time = max(time, bucket.time(at: now)) }
    return time
  }

  private mutating func send(_ request: Request, at now: Int64) {
    everything.take(at: now)
    if let rule = request.rule {
      for index in buckets[rule].indices { buckets[rule][index].take(at: now) }
    }
    underWay[request.ticket] = (request.rule, now)
    circuit.sent(request.ticket)
  }
}
