// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Which events a subscriber wants.
public struct EventFilter: Sendable, Hashable {
  private var topics = TopicSet.all
  private var conids: Set<Int>?
  private var subscription: UInt32?
  private var includesOutbound = true
  private var includesControlFrames = true
  private var includesLifecycle = true
  private var includesUnrelated = false

  /// Everything: messages of both directions, control frames, lifecycle, gaps.
  public static let all = EventFilter()

  /// What the server says, and the lifecycle: no commands and no control frames.
  public static let inbound: EventFilter = {
    var filter = EventFilter()
    filter.includesOutbound = false
    filter.includesControlFrames = false
    return filter
  }()

  /// The lifecycle alone: connection, session, subscriptions, gaps.
  public static let lifecycle = EventFilter.messages([])

  /// Messages of these topics, and the lifecycle.
  ///
  /// - Parameters:
  ///   - topics: The topics.
  ///   - conids: The instruments; nil for all. Messages without an instrument are then left out.
  /// - Returns: The filter.
  public static func messages(_ topics: Set<Topic>, conids: Set<Int>? = nil) -> EventFilter {
    var filter = EventFilter.inbound
    filter.topics = TopicSet(topics)
    filter.conids = conids
    return filter
  }

  /// Quotes, and the lifecycle.
  ///
  /// - Parameter conids: The instruments; nil for all.
  /// - Returns: The filter.
  public static func marketData(conids: Set<Int>? = nil) -> EventFilter {
    messages([.marketData], conids: conids)
  }

  /// Everything but what concerns other instruments only.
  ///
  /// - Parameter conids: The instruments.
  /// - Returns: The filter.
  public static func instruments(_ conids: Set<Int>) -> EventFilter {
    var filter = EventFilter()
    filter.conids = conids
    filter.includesUnrelated = true
    return filter
  }

  /// The messages of one subscription, and the lifecycle.
  static func subscription(_ key: SubscriptionKey) -> EventFilter {
    var filter = messages([key.topic])
    filter.subscription = key.number
    return filter
  }

  /// The same filter without lifecycle events; gaps and losses belong to them.
  public var withoutLifecycle: EventFilter {
    var filter = self
    filter.includesLifecycle = false
    return filter
  }
}

extension EventFilter {
  /// What of a batch passes.
  ///
  /// A batch that passes whole is shared; of another, what passes is copied, so that a subscriber
  /// to little does not hold on to much.
  ///
  /// - Parameter batch: The events.
  /// - Returns: Those that pass, nil if there are none.
  package func apply(to batch: EventBatch) -> EventBatch? {
    if self == .all { return batch }
    var passing = 0
    for index in batch.indices where matches(batch, at: index) { passing += 1 }
    if passing == 0 { return nil }
    if passing == batch.count { return batch }
    return batch.copying(count: passing) { matches(batch, at: $0) }
  }

  private func matches(_ batch: EventBatch, at index: Int) -> Bool {
    let record = batch.storage.records[index]
    guard record.sort == .message else {
      return record.sort == .dropped || (includesLifecycle && concerns(batch.detail(of: record)))
    }
    guard let topic = record.topic else { return includesControlFrames }
    if record.direction == .outbound, !includesOutbound { return false }
    if !topics.contains(TopicSet(topic)) { return false }
    if let subscription, record.subscription != subscription { return false }
    if let conids, !conids.contains(record.conid) { return includesUnrelated && record.conid == 0 }
    return true
  }

  /// Whether an own event has to do with what the filter lets through.
  private func concerns(_ event: OwnEvent?) -> Bool {
    let keys: [SubscriptionKey]
    switch event {
    case .subscription(let key, _): keys = [key]
    case .gap(let gap): keys = gap.subscriptions
    case .backfill(let progress): return conids?.contains(progress.backfill.conid) ?? true
    case .connection, .session, .dropped, nil: return true
    }
    if keys.isEmpty { return true }
    return keys.contains { key in
      if let subscription, key.number != subscription { return false }
      if let conids, let conid = key.conid { return conids.contains(conid) }
      return true
    }
  }
}
