// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Keeps account of outages: when each began, whom it concerns, and who has data again.
///
/// There is one gap per outage. It begins at the last proof of life, and ends for an instrument
/// with its first image; instruments that take long to come back do not hold up the others.
struct GapTracker: Sendable {
  private struct Open: Sendable {
    var gap: Gap
    var waiting: [SubscriptionKey]
    var recovered: [SubscriptionKey] = []
    var lastRecovery: Gap.Moment?
    var lastSeq: UInt64?
  }

  /// How long the first of a gap to recover waits for the others, in nanoseconds.
  static let patience: Int64 = 30_000_000_000

  private var open: [Open] = []
  private var lastID = 0

  /// An outage begins, or goes on for those who are in one already.
  ///
  /// - Returns: What to tell, nil if it concerns nobody new.
  mutating func begin(
    _ reason: GapReason,
    detectedBy: String,
    start: Gap.Moment,
    after seq: UInt64,
    subscriptions: [SubscriptionKey]
  ) -> Gap? {
    let concerned = subscriptions.filter { key in
      !open.contains { $0.waiting.contains(key) }
    }
    guard !concerned.isEmpty else { return nil }
    let gap = Gap(
      id: nextID(),
      phase: .began,
      start: start,
      reason: reason,
      detectedBy: detectedBy,
      subscriptions: concerned,
      seqFirst: seq
    )
    open.append(Open(gap: gap, waiting: concerned))
    return gap
  }

  /// A number for a gap.
  mutating func nextID() -> Int {
    lastID += 1
    return lastID
  }

  /// Whether a subscription is in an outage.
  func isOpen(for key: SubscriptionKey) -> Bool {
    open.contains { $0.waiting.contains(key) }
  }

  /// A subscription has its first image again.
  ///
  /// - Returns: What to tell, if it was the last one.
  mutating func recovered(_ key: SubscriptionKey, at moment: Gap.Moment, seq: UInt64) -> Gap? {
    guard let index = open.firstIndex(where: { $0.waiting.contains(key) }) else { return nil }
    open[index].waiting.removeAll { $0 == key }
    open[index].recovered.append(key)
    open[index].lastRecovery = moment
    open[index].lastSeq = seq
    return open[index].waiting.isEmpty ? end(index) : nil
  }

  /// A subscription is not wanted any longer, so nothing of it can be missing.
  mutating func removed(_ key: SubscriptionKey) -> Gap? {
    guard let index = open.firstIndex(where: { $0.waiting.contains(key) }) else { return nil }
    open[index].waiting.removeAll { $0 == key }
    return open[index].waiting.isEmpty ? end(index) : nil
  }

  /// When ``expire(at:)`` will have something to tell.
  var deadline: Int64? {
    open.compactMap { $0.lastRecovery.map { $0.monotonic + Self.patience } }.min()
  }

  /// Tells of those who have recovered long before the rest.
  mutating func expire(at now: Int64) -> [Gap] {
    open.indices.reversed().compactMap { index in
      guard let last = open[index].lastRecovery, last.monotonic + Self.patience <= now else {
        return nil
      }
      return end(index)
    }
  }

  /// The run ends: what is missing stays missing.
  mutating func abandon() -> [Gap] {
    defer { open = [] }
    return open.indices.reversed().flatMap { index -> [Gap] in
      let waiting = open[index].waiting
      var rest = open[index].gap
      rest.phase = .abandoned
      rest.subscriptions = waiting
      let ended = end(index)
      return [ended, waiting.isEmpty ? nil : rest].compactMap(\.self)
    }
  }

  /// Closes a gap for those who have recovered; it stays open for the others.
  private mutating func end(_ index: Int) -> Gap? {
    let state = open[index]
    open[index].recovered = []
    open[index].lastRecovery = nil
    if state.waiting.isEmpty { open.remove(at: index) }
    guard !state.recovered.isEmpty else { return nil }
    var gap = state.gap
    gap.phase = .ended
    gap.end = state.lastRecovery
    gap.seqLast = state.lastSeq
    gap.subscriptions = state.recovered
    return gap
  }
}
