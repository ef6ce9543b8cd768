// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Turns what a log has kept back into the events that it was made of.
///
/// Messages are routed by the rules of the live client: a subscription is known from its first event
/// on, so a message gets the subscription that it had when it came.
package struct EventReplayer: ~Copyable {
  private var builder = EventBatchBuilder()
  private var router = MessageRouter()
  private var known: Set<UInt32> = []
  private let keys: Keys?

  /// Gives each recorded subscription the key that it is to have.
  package typealias Keys = @Sendable (SubscriptionKey) -> SubscriptionKey

  /// Begins a run, or anywhere in it.
  ///
  /// - Parameter keys: Gives each subscription the key that it is to have; nil for the recorded one.
  package init(keys: Keys? = nil) {
    self.keys = keys
  }

  /// How many events wait to be taken.
  package private(set) var count = 0

  /// Adds a message or control frame.
  ///
  /// - Parameters:
  ///   - payload: Its bytes.
  ///   - direction: Which way it went.
  ///   - kind: The kind of frame, or that it is an answer by REST.
  ///   - stamp: Its number and time.
  ///   - isRedacted: Whether secrets are replaced in it.
  package mutating func append(
    _ payload: UnsafeRawBufferPointer,
    direction: Direction,
    kind: FrameKind,
    stamp: Stamp,
    isRedacted: Bool = false
  ) {
    count += 1
    builder.skip(to: stamp.seq)
    builder.append(
      payload,
      direction: direction,
      kind: kind,
      realtime: stamp.realtime,
      monotonic: stamp.monotonic
    ) { record in
      router.forgetFields()
      if isRedacted { record.flags.insert(.redacted) }
      guard kind == .text || kind == .binary || kind.isREST else { return }
      if String(validating: payload, as: UTF8.self) != nil { record.flags.insert(.utf8) }
      if kind.isREST {
        router.route(answer: payload, into: &record)
      } else if direction == .inbound {
        _ = router.route(payload, into: &record)
      } else {
        let command = String(decoding: payload, as: UTF8.self)
        record.describe(command: payload, Topic(command: command))
      }
    }
    if !router.fields.isEmpty { builder.markLast(fields: router.fields) }
    if let repeats = router.takeRepeats() { builder.markLast(repeats: repeats) }
  }

  /// Adds an answer by REST with the bars of a gap.
  ///
  /// - Parameters:
  ///   - answer: Its bytes.
  ///   - backfill: What of them counts, and for what.
  ///   - stamp: Its number and time.
  ///   - isRedacted: Whether secrets are replaced in it.
  package mutating func append(
    answer: UnsafeRawBufferPointer,
    to backfill: Backfill,
    stamp: Stamp,
    isRedacted: Bool = false
  ) {
    count += 1
    builder.skip(to: stamp.seq)
    builder.append(
      answer: answer,
      to: backfill,
      realtime: stamp.realtime,
      monotonic: stamp.monotonic,
      flags: isRedacted ? .redacted : []
    )
  }

  /// Adds an event of our own.
  ///
  /// - Parameters:
  ///   - event: What happened.
  ///   - stamp: Its number and time.
  ///   - isRedacted: Whether secrets are replaced in it.
  package mutating func append(_ event: OwnEvent, stamp: Stamp, isRedacted: Bool = false) {
    count += 1
    let event = keyed(event)
    if case .subscription(let key, let state) = event { learn(key, state) }
    builder.skip(to: stamp.seq)
    builder.append(
      event,
      realtime: stamp.realtime,
      monotonic: stamp.monotonic,
      flags: isRedacted ? .redacted : []
    )
  }

  /// Takes what has been gathered.
  ///
  /// - Parameter origin: Where it comes from.
  /// - Returns: The events since the last call, nil if there are none.
  package mutating func take(from origin: (any EventOrigin)? = nil) -> EventBatch? {
    count = 0
    return builder.take(from: origin)
  }

  private func keyed(_ event: OwnEvent) -> OwnEvent {
    guard let keys else { return event }
    switch event {
    case .subscription(let key, let state): return .subscription(keys(key), state)
    case .gap(var gap):
      gap.subscriptions = gap.subscriptions.map(keys)
      return .gap(gap)
    case .connection, .session, .dropped, .backfill: return event
    }
  }

  private mutating func learn(_ key: SubscriptionKey, _ state: SubscriptionState) {
    if state == .ended {
      if known.remove(key.number) != nil { router.remove(key) }
    } else if known.insert(key.number).inserted {
      router.add(key)
    }
  }
}
