// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR
import Transport

/// A sink that notes what a person would look at, and keeps the ledger's other side.
actor Witness: EventSink {
  /// A change of the session.
  struct Entry: Sendable, Hashable {
    /// Milliseconds since the start.
    let at: Int64
    let phase: SessionPhase
    let reason: String
  }

  private nonisolated let loop: EventLoop
  private let start: Int64
  private let keepsDigests: Bool
  nonisolated var overflow: OverflowPolicy { .backpressure }
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private(set) var entries: [Entry] = []
  private(set) var gaps: [Gap] = []
  private(set) var notes = Notes()
  /// The numbers and digests of what the server sent, where they are wanted.
  private(set) var digests: [(seq: UInt64, digest: Int)] = []
  private var ledger = LedgerCheck()

  /// Makes a witness.
  ///
  /// - Parameters:
  ///   - loop: The client's loop.
  ///   - start: The monotonic time that the time line counts from.
  ///   - keepsDigests: Whether others are to be held against what it sees.
  init(on loop: EventLoop, from start: Int64, keepsDigests: Bool = false) {
    self.loop = loop
    self.start = start
    self.keepsDigests = keepsDigests
  }

  /// How many quotes have come so far.
  var quotes: Int { notes.topics[.marketData, default: 0] }

  func write(_ batch: EventBatch) {
    for event in batch {
      ledger.add(event)
      notes.add(event)
      switch event {
      case .session(let state, let stamp):
        guard let phase = state.phase else { continue }
        let at = (stamp.monotonic - start) / 1_000_000
        let entry = Entry(at: at, phase: phase, reason: state.reason)
        guard (entries.last?.phase, entries.last?.reason) != (phase, state.reason) else { continue }
        entries.append(entry)
      case .gap(let gap): gaps.append(gap)
      case .message(let message) where keepsDigests && message.isFromServer:
        digests.append((message.seq, message.digest))
      default: break
      }
    }
  }

  /// Holds what was sent so far against what has come; both sides must have come to rest.
  func settle(_ sent: [SentFrame]) {
    ledger.add(sent)
    ledger.settle()
  }

  /// Holds everything against each other.
  func conclude(_ sent: [SentFrame], tolerance: Int64) -> LedgerCheck.Findings {
    ledger.add(sent)
    return ledger.conclude(tolerance: tolerance)
  }
}

/// What has happened in a trial, in numbers.
struct Notes: Sendable {
  /// The number of the last event.
  private(set) var lastSeq: UInt64 = 0
  /// Connections on which the server has greeted.
  private(set) var greetings = 0
  /// How each lost connection was noticed.
  private(set) var losses: [String] = []
  /// Messages of the server by topic.
  private(set) var topics: [Topic: Int] = [:]
  /// Messages that are not UTF-8, and the longest one.
  private(set) var notUTF8 = 0
  private(set) var longest = 0
  /// Quotes that are images, quotes whose time is before that of the one before, and images sent
  /// twice of which the second is not marked.
  private(set) var images = 0
  private(set) var late = 0
  private(set) var unmarked = 0
  /// How often reading was paused for a slow subscriber.
  private(set) var pauses = 0
  /// Pongs that were sent.
  private(set) var pongs = 0
  /// Commands by their first three letters.
  private(set) var commands: [String: Int] = [:]
  /// The states of subscriptions, in order, by feed and target.
  private(set) var states: [String: [SubscriptionState]] = [:]
  /// By how much the time of day has been set, either way, in seconds.
  private(set) var clockSteps: [Int64] = []

  private var before: Stamp?
  private var quotes: [Int: (time: Int64, isImage: Bool)] = [:]

  mutating func add(_ event: Event) {
    if let stamp = event.stamp {
      lastSeq = stamp.seq
      noteClock(stamp)
    }
    switch event {
    case .connection(.ready, _): greetings += 1
    case .connection(.readingPaused, _): pauses += 1
    case .connection(.lost(_, let words, _), _): losses.append(words)
    case .subscription(let key, let state, _): states["\(key)", default: []].append(state)
    case .message(let message): add(message)
    default: break
    }
  }

  private mutating func add(_ message: Message) {
    guard message.direction == .inbound else {
      if message.kind == .pong { pongs += 1 }
      if message.topic != nil { commands[String(message.text.prefix(3)), default: 0] += 1 }
      return
    }
    // What was asked for by REST stands beside the feeds.
    guard let topic = message.topic, !message.kind.isREST else { return }
    topics[topic, default: 0] += 1
    if !message.isUTF8 { notUTF8 += 1 }
    longest = max(longest, message.byteCount)
    guard topic == .marketData, let conid = message.conid, let time = message.tsEvent else {
      return
    }
    if message.isSnapshot { images += 1 }
    if let previous = quotes[conid] {
      if time < previous.time { late += 1 }
      if time == previous.time, previous.isImage, !message.isSnapshot { unmarked += 1 }
    }
    quotes[conid] = (time, message.isSnapshot)
  }

  private mutating func noteClock(_ stamp: Stamp) {
    defer { before = stamp }
    guard let before else { return }
    let step = (stamp.realtime - before.realtime) - (stamp.monotonic - before.monotonic)
    if abs(step) >= 1_000_000_000 { clockSteps.append(step / 1_000_000_000) }
  }
}
