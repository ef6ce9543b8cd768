// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Holds what is wanted against what the server has been asked for, and says what to send when.
///
/// A value fed with times and answers; nothing here waits or sends. Every subscription keeps its own
/// state, so that none can hold up another.
struct SubscriptionReconciler: Sendable {
  /// What is to be done.
  enum Action: Equatable, Sendable {
    /// Send a command; if it asks for something, an answer of this subscription is awaited.
    case send(String, awaiting: UInt32?)
    /// A subscription is in another state.
    case state(SubscriptionKey, SubscriptionState)
  }

  /// The times by which it acts, in nanoseconds.
  struct Timing: Sendable {
    /// Between two commands: 20 per second at most.
    var spacing: Int64 = 50_000_000
    /// Until a request that has brought no answer is repeated; doubled each time.
    var firstRetry: Int64 = 10_000_000_000
    /// The longest time between two repetitions.
    var lastRetry: Int64 = 60_000_000_000
    /// Until market data is asked for again: it expires after 10 to 15 min without a word
    /// (protocol reference 4.9).
    var renewal: Int64 = 510_000_000_000
    /// By how much a renewal may come earlier, so that not all come at once.
    var renewalJitter: Int64 = 30_000_000_000
    /// How often a request is repeated before it counts as failed; nil for no end.
    var attempts: Int?
    /// How many instruments an account may stream at a time (protocol reference 4.9).
    var marketDataLines = 100
    /// How many requests for history may be open at a time (protocol reference 4.10).
    var openHistories = 5
    /// Feeds that wait on each connection until they are admitted, because something has to be asked
    /// by REST before (protocol reference 4.11).
    var asksBefore: Set<Topic> = []
  }

  let timing: Timing
  // What `SubscriptionReconciler+Sending.swift` works with too.
  var entries: [UInt32: Entry] = [:]
  private var numbers: [String: UInt32] = [:]
  private var lastNumber: UInt32 = 0
  var isReady = false
  var nextSend = Int64.min
  var farewells: [String] = []
  var admitted: Set<Topic> = []

  init(timing: Timing = Timing()) {
    self.timing = timing
  }

  /// What is wanted, in the order in which it was asked for.
  var keys: [SubscriptionKey] { entries.values.map(\.key).sorted { $0.number < $1.number } }

  /// The key of a subscription.
  func key(_ number: UInt32) -> SubscriptionKey? { entries[number]?.key }

  /// Those that the server has been asked for on this connection, and so lose something with it: what
  /// it has sent may be on its way.
  var askedKeys: [SubscriptionKey] {
    keys.filter { key in
      switch entries[key.number]?.phase {
      case .requested, .active, .renewing: true
      case .pending, .failed, nil: false
      }
    }
  }

  /// How many instruments wait because the account's market-data lines are in use.
  var waitingForLines: Int {
    let wanted = entries.values.count {
      $0.key.topic == .marketData && $0.phase != .failed
    }
    return max(0, wanted - timing.marketDataLines)
  }

  /// Whether every subscription has an answer.
  var isSettled: Bool {
    farewells.isEmpty
      && entries.values.allSatisfy { entry in
        if case .active = entry.phase { true } else { false }
      }
  }

  // MARK: - What is wanted

  /// What the same feed and target has been asked for with, if it is wanted already.
  func request(like request: FeedRequest) -> FeedRequest? {
    numbers[Entry.identity(of: request)].flatMap { entries[$0]?.request }
  }

  /// Wants a feed; a second time it is shared, with the fields of both.
  mutating func want(_ request: FeedRequest) -> (key: SubscriptionKey, actions: [Action]) {
    let identity = Entry.identity(of: request)
    if let number = numbers[identity], let entry = entries[number] {
      entries[number]?.holders += 1
      let missing = request.fields.filter { !entry.request.fields.contains($0) }
      guard !missing.isEmpty else { return (entry.key, []) }
      entries[number]?.request.fields += missing
      entries[number]?.phase = .pending
      return (entry.key, [.state(entry.key, .pending)])
    }
    lastNumber += 1
    let key = SubscriptionKey(
      topic: request.topic,
      target: request.target,
      conid: request.conid,
      number: lastNumber
    )
    numbers[identity] = lastNumber
    entries[lastNumber] = Entry(key: key, request: request)
    return (key, [.state(key, .pending)])
  }

  /// Wants a feed no longer; the last one who says so ends it.
  mutating func release(_ key: SubscriptionKey) -> [Action] {
    guard let entry = entries[key.number] else { return [] }
    guard entry.holders == 1 else {
      entries[key.number]?.holders -= 1
      return []
    }
    entries[key.number] = nil
    numbers[entry.identity] = nil
    guard isReady, let command = entry.farewell else { return [.state(key, .ended)] }
    farewells.append(command)
    return [.state(key, .ended)] + endedAlongside(entry)
  }

  /// A ladder is ended by its account, so those of the same account end with it: they are asked for
  /// again.
  private mutating func endedAlongside(_ ended: Entry) -> [Action] {
    guard ended.key.topic == .priceLadder else { return [] }
    return keys.compactMap { key in
      guard key.topic == .priceLadder, let entry = entries[key.number], entry.phase != .pending,
        entry.request.unsubscribeCommand == ended.request.unsubscribeCommand
      else { return nil }
      entries[key.number]?.phase = .pending
      return .state(key, .pending)
    }
  }

  /// The commands that end everything the server has been asked for.
  func farewell() -> [String] {
    guard isReady else { return [] }
    return keys.compactMap { entries[$0.number]?.farewell }
  }

  // MARK: - What the server does

  /// Commands have effect from now on.
  mutating func ready() {
    isReady = true
  }

  /// What had to be asked before a feed has been asked.
  mutating func admit(_ topic: Topic) {
    admitted.insert(topic)
  }

  /// The connection or the session is gone, and every subscription with it.
  mutating func lost() -> [Action] {
    isReady = false
    farewells = []
    admitted = []
    return keys.compactMap { key in
      entries[key.number]?.request.serverID = nil
      entries[key.number]?.hasGivenWay = false
      entries[key.number]?.excuses = 0
      guard entries[key.number]?.phase != .pending else { return nil }
      entries[key.number]?.phase = .pending
      return .state(key, .pending)
    }
  }

  /// A message of a subscription has come while an answer was awaited.
  ///
  /// - Parameters:
  ///   - number: The subscription.
  ///   - isImage: Whether it is the image that a new request brings.
  ///   - now: The monotonic clock.
  ///   - generator: The source of jitter.
  /// - Returns: The change of its state.
  mutating func answered(
    _ number: UInt32,
    isImage: Bool,
    at now: Int64,
    using generator: inout some RandomNumberGenerator
  ) -> [Action] {
    guard let entry = entries[number] else { return [] }
    switch entry.phase {
    case .requested: break
    case .renewing(let retryAt, _):
      // A message from before the renewal proves nothing, and whether a renewal brings an image at
      // all is not known: so only silence makes it stale.
      guard isImage else {
        entries[number]?.phase = .renewing(retryAt: retryAt, isSilent: false)
        return []
      }
    case .pending, .active, .failed: return []
    }
    let renewAt = renewal(after: now, using: &generator)
    entries[number]?.excuses = 0
    entries[number]?.phase = .active(renewAt: renewAt)
    return [.state(entry.key, .active)]
  }

  /// The server has named a request of history: it is unsubscribed by that.
  mutating func named(_ number: UInt32, _ serverID: String) {
    // The name becomes part of a command.
    if FeedRequest.isPlain(serverID) { entries[number]?.request.serverID = serverID }
  }

  /// An answer of history has come that nobody waits for.
  ///
  /// It is to a request that was released before it was answered, or that was repeated. The server
  /// holds it open until it is ended by its name.
  mutating func unclaimed(_ serverID: String) {
    guard isReady, FeedRequest.isPlain(serverID),
      !entries.values.contains(where: { $0.request.serverID == serverID })
    else { return }
    let command = "umh+\(serverID)"
    if !farewells.contains(command) { farewells.append(command) }
  }

  /// A subscription has been silent for too long: its image is asked for at once, which a living
  /// one sends whether there is news or not.
  mutating func suspect(_ number: UInt32, at now: Int64) {
    guard case .active = entries[number]?.phase else { return }
    entries[number]?.phase = .active(renewAt: now)
  }

  /// A subscription that sent no image when asked has been found to be quiet: it is active.
  mutating func excused(
    _ number: UInt32,
    at now: Int64,
    using generator: inout some RandomNumberGenerator
  ) -> [Action] {
    guard let entry = entries[number], case .requested = entry.phase else { return [] }
    return [excuse(entry, at: now, using: &generator)]
  }

  /// A subscription is active that has sent no image when asked for one.
  ///
  /// Whether the server sends none, or has not heard the request and lets the old one expire, cannot
  /// be told: so it is asked again soon, and later each time.
  mutating func excuse(
    _ entry: Entry,
    at now: Int64,
    using generator: inout some RandomNumberGenerator
  ) -> Action {
    let pause = timing.lastRetry << min(entry.excuses, 16)
    let renewAt = min(now + pause, renewal(after: now, using: &generator))
    entries[entry.key.number]?.excuses += 1
    entries[entry.key.number]?.phase = .active(renewAt: renewAt)
    return .state(entry.key, .active)
  }

  /// The server refuses a subscription.
  mutating func refused(_ number: UInt32, _ words: String) -> [Action] {
    guard let entry = entries[number], entry.phase != .failed else { return [] }
    entries[number]?.phase = .failed
    return [.state(entry.key, .failed(words))]
  }

  private func renewal(
    after now: Int64,
    using generator: inout some RandomNumberGenerator
  ) -> Int64 {
    now + timing.renewal - Int64.random(in: 0...max(0, timing.renewalJitter), using: &generator)
  }
}
