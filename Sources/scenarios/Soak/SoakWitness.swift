// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import IBKR
import Transport

/// A sink that must not lose anything, and says whether all subscriptions are active.
actor SoakWitness: EventSink {
  private nonisolated let loop: EventLoop
  nonisolated var overflow: OverflowPolicy { .backpressure }
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private var states: [UInt32: (key: SubscriptionKey, state: SubscriptionState)] = [:]
  /// Subscriptions that are not active.
  private var inactive = 0
  /// Since when it is as it is, on the monotonic clock.
  private(set) var since: Int64 = 0
  private(set) var events = 0
  private(set) var messages = 0
  private(set) var quotes = 0
  private(set) var gapsBegun = 0
  private(set) var gapsAbandoned = 0
  /// The last gap that no coincidence explains.
  private(set) var lastGap: Gap?
  /// The last gap of an instrument whose price changed between the question and its image.
  private(set) var lastCoincidence: Gap?
  /// When each instrument was last asked for, and the server's time in its last quote, in nanoseconds
  /// since 1970.
  private var questions: [Int: Int64] = [:]
  private var quoteTimes: [Int: Int64] = [:]

  private var ledger = LedgerCheck()
  private let start: Int64
  /// Whether everything but quotes is printed.
  private let isTalking: Bool

  init(on loop: EventLoop, isTalking: Bool) {
    self.loop = loop
    self.isTalking = isTalking
    start = loop.now
  }

  /// Whether everything that is wanted is active.
  var isWell: Bool { !states.isEmpty && inactive == 0 }

  func write(_ batch: EventBatch) {
    for event in batch { note(event) }
  }

  private func note(_ event: Event) {
    events += 1
    ledger.add(event)
    if isTalking { say(event) }
    switch event {
    case .message(let message):
      guard message.direction == .inbound else {
        if message.text.hasPrefix("smd+"),
          let conid = Int(message.text.dropFirst(4).prefix { $0 != "+" })
        {
          questions[conid] = message.tsRecv
        }
        return
      }
      messages += 1
      if message.topic == .marketData {
        quotes += 1
        if let conid = message.conid { quoteTimes[conid] = message.tsEvent }
      }
    case .gap(let gap):
      switch gap.phase {
      case .began:
        gapsBegun += 1
        if isCoincidence(gap) { lastCoincidence = gap } else { lastGap = gap }
      case .abandoned: gapsAbandoned += 1
      default: break
      }
    case .subscription(let key, let state, let stamp): note(state, of: key, at: stamp)
    default: break
    }
  }

  /// Whether an image that was asked for holds what came about after the question.
  ///
  /// The client cannot know that this was all, and declares a gap.
  private func isCoincidence(_ gap: Gap) -> Bool {
    guard gap.reason == .expired, gap.subscriptions.count == 1,
      let conid = gap.subscriptions.first?.conid,
      let question = questions[conid], let quote = quoteTimes[conid]
    else { return false }
    // The server tells milliseconds.
    return quote >= question - 1_000_000
  }

  private func note(_ state: SubscriptionState, of key: SubscriptionKey, at stamp: Stamp) {
    let wasWell = isWell
    if let before = states[key.number], !before.state.bringsData { inactive -= 1 }
    states[key.number] = state == .ended ? nil : (key, state)
    if state != .ended, !state.bringsData { inactive += 1 }
    if isWell != wasWell { since = stamp.monotonic }
  }

  /// Holds what was sent against what came, as far as it has come.
  func settle(_ sent: [SentFrame]) {
    ledger.add(sent)
    ledger.settle()
  }

  /// Judges everything so far, when nothing is on its way, and forgets it.
  func conclude(_ sent: [SentFrame]) -> LedgerCheck.Findings {
    ledger.add(sent)
    defer { ledger.forget() }
    return ledger.conclude()
  }

  private func say(_ event: Event) {
    let words: String
    switch event {
    case .message(let message):
      guard message.direction == .outbound, message.kind == .text else { return }
      words = "> \(message.text.prefix(40))"
    case .gap(let gap):
      words = "gap \(gap.phase) \(gap.reason): \(gap.detectedBy)"
    case .dropped(let count, _): words = "\(count) dropped"
    case .subscription(let key, let state, _): words = "\(key) \(state)"
    case .backfill(let progress, _):
      words = "bars of \(progress.backfill.target): \(progress.state) \(progress.reason)"
    case .session(let state, _):
      words = "session \(state.phase?.rawValue ?? "unknown") \(state.reason)"
    case .connection(let state, _): words = "connection \(state)"
    }
    let milliseconds = ((event.stamp?.monotonic ?? start) - start) / 1_000_000
    print("\(milliseconds / 1_000).\(milliseconds % 1_000 / 100) s  \(words)")
  }

  /// What is not active, in words.
  var inactiveStates: [String] {
    states.values.filter { !$0.state.bringsData }.map { "\($0.key) \($0.state)" }.sorted()
  }
}

extension SubscriptionState {
  /// A renewal is asked for while the old subscription still brings data.
  fileprivate var bringsData: Bool { self == .active || self == .renewing }
}

/// A sink that stalls now and then, and may lose events as long as it is told how many.
actor SlowWitness: EventSink {
  private nonisolated let loop: EventLoop
  nonisolated var overflow: OverflowPolicy { .dropOldest(500) }
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private(set) var events = 0
  private(set) var dropped = 0
  private let start: Int64
  private var isAwake = false

  init(on loop: EventLoop) {
    self.loop = loop
    start = loop.now
  }

  func write(_ batch: EventBatch) async throws {
    let before = (events + dropped) / 5_000
    for event in batch {
      if case .dropped(let count, _) = event { dropped += count } else { events += 1 }
    }
    // It is awake at the end of every hour, when memory is read: its queue is empty then.
    let ofHour = (loop.now - start) % Self.hour
    guard !isAwake, (events + dropped) / 5_000 > before, ofHour < Self.hour / 2 else { return }
    try await loop.sleep(for: .seconds(1_200))
  }

  private static let hour: Int64 = 3_600_000_000_000

  /// Stalls no more.
  func wakeUp() { isAwake = true }
}
