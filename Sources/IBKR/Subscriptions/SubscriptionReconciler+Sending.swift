// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What is to be sent at what time.
extension SubscriptionReconciler {
  /// When market data is asked for again the next time, so that it does not expire; nil while none
  /// streams.
  var nextRenewal: Int64? {
    entries.values.lazy
      .compactMap { entry in
        guard entry.key.topic == .marketData, case .active(let renewAt) = entry.phase else {
          return nil
        }
        return renewAt
      }
      .min()
  }

  /// When there will be something to do, nil if nothing is planned.
  var deadline: Int64? {
    guard isReady else { return nil }
    var earliest: Int64? = farewells.isEmpty ? nil : nextSend
    let hasRoom = [
      Topic.marketData: room(for: .marketData) > 0,
      .history: room(for: .history) > 0 || yielding != nil,
      .orders: room(for: .orders) > 0,
    ]
    for entry in entries.values {
      let due: Int64
      switch entry.phase {
      case .pending:
        guard hasRoom[entry.key.topic] ?? true, !isBlocked(entry) else { continue }
        due = nextSend
      case .requested(_, let retryAt), .renewing(let retryAt, _): due = max(retryAt, nextSend)
      case .active(let renewAt):
        guard entry.key.topic == .marketData else { continue }
        due = max(renewAt, nextSend)
      case .failed: continue
      }
      earliest = min(earliest ?? due, due)
    }
    return earliest
  }

  /// Says what is to be sent now: one command, because the next must keep its distance.
  mutating func act(
    at now: Int64,
    using generator: inout some RandomNumberGenerator
  ) -> [Action] {
    guard isReady, nextSend <= now else { return [] }
    if !farewells.isEmpty {
      nextSend = now + timing.spacing
      return [.send(farewells.removeFirst(), awaiting: nil)]
    }
    var actions: [Action] = []
    for number in entries.keys.sorted() {
      let sent = actions.count
      actions += act(on: number, at: now, using: &generator)
      let hasSent = actions[sent...].contains { if case .send = $0 { true } else { false } }
      guard !hasSent else {
        nextSend = now + timing.spacing
        break
      }
    }
    return actions
  }

  private mutating func act(
    on number: UInt32,
    at now: Int64,
    using generator: inout some RandomNumberGenerator
  ) -> [Action] {
    guard let entry = entries[number] else { return [] }
    switch entry.phase {
    case .pending where isBlocked(entry):
      return []
    case .pending where room(for: entry.key.topic) > 0:
      return request(entry, attempt: 1, at: now)
    case .pending:
      guard entry.key.topic == .history, let other = yielding, let command = other.farewell else {
        return []
      }
      entries[other.key.number]?.hasGivenWay = true
      return [.send(command, awaiting: nil)]
    case .requested(_, let retryAt)
    where retryAt <= now && entry.key.manners?.answer == .perhapsNone:
      // Who has no orders gets no word; there is nothing to wait for, and nothing to repeat.
      entries[number]?.phase = .active(renewAt: .max)
      return [.state(entry.key, .active)]
    case .requested(let attempt, let retryAt) where retryAt <= now:
      if let attempts = timing.attempts, attempt >= attempts {
        entries[number]?.phase = .failed
        return [.state(entry.key, .failed("no answer to \(attempt) requests"))]
      }
      return request(entry, attempt: attempt + 1, at: now)
    case .active(let renewAt) where renewAt <= now && entry.key.topic == .marketData:
      entries[number]?.phase = .renewing(retryAt: now + timing.firstRetry, isSilent: true)
      return [
        .send(entry.request.subscribeCommand, awaiting: number), .state(entry.key, .renewing),
      ]
    case .renewing(let retryAt, let isSilent) where retryAt <= now:
      guard isSilent else { return [excuse(entry, at: now, using: &generator)] }
      return [.state(entry.key, .stale)] + request(entry, attempt: 1, at: now)
    default:
      return []
    }
  }

  /// How many more requests of a kind the server takes; one that waits is sent when another of its
  /// kind has ended.
  private func room(for topic: Topic) -> Int {
    let limit: Int
    switch topic {
    case .marketData: limit = timing.marketDataLines
    case .history: limit = timing.openHistories
    default: return timing.asksBefore.contains(topic) && !admitted.contains(topic) ? 0 : .max
    }
    return limit
      - entries.values.count { entry in
        guard entry.key.topic == topic else { return false }
        switch entry.phase {
        case .pending, .failed: return false
        case .requested, .active, .renewing: return !entry.hasGivenWay
        }
      }
  }

  /// Whether a request for history has to wait for the answer to another one of the same instrument:
  /// the answers name nothing else.
  private func isBlocked(_ entry: Entry) -> Bool {
    guard entry.key.topic == .history else { return false }
    return entries.values.contains { other in
      guard other.key.topic == .history, other.key.target == entry.key.target else { return false }
      if case .requested = other.phase { return true }
      return false
    }
  }

  /// The oldest request for history that has had its answer and is open all the same: the server
  /// answers once and keeps it (protocol reference 4.10).
  private var yielding: Entry? {
    entries.values
      .filter { entry in
        guard case .active = entry.phase else { return false }
        return entry.key.topic == .history && entry.farewell != nil
      }
      .min { $0.key.number < $1.key.number }
  }

  private mutating func request(_ entry: Entry, attempt: Int, at now: Int64) -> [Action] {
    // Two to the power of what a shift can bear: the ceiling is reached long before.
    let delay = min(timing.firstRetry << min(attempt - 1, 16), timing.lastRetry)
    entries[entry.key.number]?.phase = .requested(attempt: attempt, retryAt: now + delay)
    return [
      .send(entry.request.subscribeCommand, awaiting: entry.key.number),
      .state(entry.key, .requested(attempt: attempt)),
    ]
  }
}
