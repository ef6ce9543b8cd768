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

  /// Begins a run, or anywhere in it.
  package init() {}

  /// How many events wait to be taken.
  package private(set) var count = 0

  /// Adds a message or control frame.
  ///
  /// - Parameters:
  ///   - payload: Its bytes.
  ///   - direction: Which way it went.
  ///   - kind: The kind of frame, or that it is an answer by REST.
  ///   - stamp: Its number and time.
  package mutating func append(
    _ payload: UnsafeRawBufferPointer,
    direction: Direction,
    kind: FrameKind,
    stamp: Stamp
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
      guard kind == .text || kind == .binary || kind.isREST else { return }
      if String(validating: payload, as: UTF8.self) != nil { record.flags.insert(.utf8) }
      if kind.isREST {
        router.route(answer: payload, into: &record)
      } else if direction == .inbound {
        _ = router.route(payload, into: &record)
      }
    }
    if let repeats = router.takeRepeats() { builder.markLast(repeats: repeats) }
  }

  /// Adds an event of our own.
  ///
  /// - Parameters:
  ///   - event: What happened.
  ///   - stamp: Its number and time.
  package mutating func append(_ event: OwnEvent, stamp: Stamp) {
    count += 1
    if case .subscription(let key, let state) = event { learn(key, state) }
    builder.skip(to: stamp.seq)
    builder.append(event, realtime: stamp.realtime, monotonic: stamp.monotonic)
  }

  /// Takes what has been gathered.
  ///
  /// - Returns: The events since the last call, nil if there are none.
  package mutating func take() -> EventBatch? {
    count = 0
    return builder.take()
  }

  private mutating func learn(_ key: SubscriptionKey, _ state: SubscriptionState) {
    if state == .ended {
      if known.remove(key.number) != nil { router.remove(key) }
    } else if known.insert(key.number).inserted {
      router.add(key)
    }
  }
}
