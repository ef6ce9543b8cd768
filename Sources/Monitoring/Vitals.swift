// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import Flow
public import IBKR

/// How a stream is getting on: what has come, what is connected and subscribed, and what is missing.
///
/// It is a value that is fed events and times, and knows no clock.
public struct Vitals: Sendable {
  /// Something as it is, and since when.
  public struct Since<Value: Sendable>: Sendable {
    /// How it is.
    public var value: Value
    /// When it became so, in nanoseconds of the monotonic clock.
    public var monotonic: Int64
  }

  /// Outages of one reason that are over.
  public struct Outages: Sendable, Hashable {
    /// How many there were.
    public var count = 0
    /// How long they were together, in nanoseconds.
    public var nanoseconds: Int64 = 0
  }

  /// What has come of one subscription.
  public struct Traffic: Sendable, Hashable {
    /// Messages.
    public var messages = 0
    /// When the last one came, in nanoseconds of the monotonic clock.
    public var last: Int64 = 0
  }

  /// When the watching began.
  public let start: Timestamp

  /// What the connection is doing.
  public private(set) var connection: Since<ConnectionState>?
  /// Since when there is no connection that commands can be sent through; nil while there is one.
  public private(set) var disconnected: Int64?
  /// How often a connection was lost, by reason.
  public private(set) var losses: [GapReason: Int] = [:]
  /// The server's or our own words about the last loss.
  public private(set) var lastLoss = ""
  /// What is known of the session.
  public private(set) var session: Since<SessionState>?

  /// Complete messages that have come, by topic.
  public private(set) var received: [Topic: Int] = [:]
  /// Their bytes.
  public private(set) var receivedBytes = 0
  /// Messages that were sent.
  public private(set) var sent = 0
  /// When the last message came.
  public private(set) var lastMessage: Timestamp?
  /// When the last message of market data came.
  public private(set) var lastMarketData: Timestamp?
  /// From the server's time of a quote to its arrival, in seconds; images are left out.
  public private(set) var delay = Histogram(bounds: [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ])

  /// The subscriptions that have not been ended.
  public private(set) var subscriptions: [SubscriptionKey: Since<SubscriptionState>] = [:]
  /// What has come of them, by the `number` of their key.
  public private(set) var traffic: [UInt32: Traffic] = [:]
  /// Of gaps that are not over, by their number: the subscriptions that have no data yet.
  public private(set) var openGaps: [Int: Gap] = [:]
  /// Gaps that are over, by reason.
  public private(set) var outages: [GapReason: Outages] = [:]
  /// Events that could not be counted, because the watcher was too slow.
  public private(set) var missed = 0

  /// When the last event of any kind was seen.
  public private(set) var lastEvent: Int64

  /// Begins to watch.
  ///
  /// - Parameter start: The time.
  public init(at start: Timestamp) {
    self.start = start
    lastEvent = start.monotonic
    disconnected = start.monotonic
  }

  /// How many messages of market data have come.
  public var marketDataMessages: Int { received[.marketData] ?? 0 }

  /// How many subscriptions have no data because of a gap that is not over.
  public var missingSubscriptions: Int {
    openGaps.values.reduce(into: Set<SubscriptionKey>()) { $0.formUnion($1.subscriptions) }.count
  }

  /// Takes the next events.
  ///
  /// - Parameters:
  ///   - batch: The events.
  ///   - now: The time of whoever watches.
  public mutating func note(_ batch: EventBatch, at now: Timestamp) {
    lastEvent = now.monotonic
    for record in batch.records {
      switch record.sort {
      case .message: note(record, at: now)
      case .own, .dropped:
        if let event = batch.detail(of: record) { note(event, at: record.monotonic) }
      }
    }
  }

  private mutating func note(_ record: EventRecord, at now: Timestamp) {
    guard record.direction == .inbound else {
      if record.kind.isData { sent += 1 }
      return
    }
    guard record.kind.isData, let topic = record.topic else { return }
    received[topic, default: 0] += 1
    receivedBytes += record.length
    if record.subscription != 0 {
      traffic[record.subscription, default: Traffic()].messages += 1
      traffic[record.subscription]?.last = record.monotonic
    }
    let arrival = Timestamp(realtime: record.realtime, monotonic: record.monotonic, boot: now.boot)
    lastMessage = arrival
    guard topic == .marketData else { return }
    lastMarketData = arrival
    if !record.flags.contains(.snapshot), let sent = record.tsEvent {
      delay.add(Double(record.realtime - sent) / 1e9)
    }
  }

  private mutating func note(_ event: OwnEvent, at monotonic: Int64) {
    switch event {
    case .connection(let state): note(state, at: monotonic)
    case .session(let state): session = Since(value: state, monotonic: monotonic)
    case .subscription(let key, .ended):
      subscriptions[key] = nil
      traffic[key.number] = nil
    case .subscription(let key, let state):
      subscriptions[key] = Since(value: state, monotonic: monotonic)
    case .gap(let gap): note(gap)
    case .dropped(let count, _): missed += count
    case .backfill: break
    }
  }

  private mutating func note(_ state: ConnectionState, at monotonic: Int64) {
    connection = Since(value: state, monotonic: monotonic)
    switch state {
    case .ready: disconnected = nil
    case .connecting, .open, .closed: disconnected = disconnected ?? monotonic
    case .lost(let reason, let description, _):
      disconnected = disconnected ?? monotonic
      losses[reason, default: 0] += 1
      lastLoss = description
    case .readingPaused, .readingResumed: break
    }
  }

  private mutating func note(_ gap: Gap) {
    switch gap.phase {
    case .began: openGaps[gap.id] = gap
    case .ended, .abandoned:
      guard var open = openGaps[gap.id] else { return }
      open.subscriptions.removeAll { gap.subscriptions.contains($0) }
      openGaps[gap.id] = open.subscriptions.isEmpty ? nil : open
      guard open.subscriptions.isEmpty else { return }
      let end = gap.end?.monotonic ?? gap.stamp.monotonic
      outages[gap.reason, default: Outages()].count += 1
      outages[gap.reason, default: Outages()].nanoseconds += max(0, end - gap.start.monotonic)
    }
  }
}

extension FrameKind {
  /// Whether it is a message of the wire and not a control frame or an answer by REST.
  fileprivate var isData: Bool { self == .text || self == .binary }
}
