// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR

@testable import Monitoring

/// A stream whose events and time a test makes up.
struct StreamWorld: ~Copyable {
  private var builder = EventBatchBuilder()
  private var state: Vitals
  private(set) var now: Timestamp

  static let start = Timestamp(
    realtime: 1_795_478_000_000_000_000,
    monotonic: 1_000_000_000_000,
    boot: 1_000_000_000_000
  )

  init() {
    now = Self.start
    state = Vitals(at: now)
  }

  var monotonic: Int64 { now.monotonic }

  static func key(_ number: UInt32, topic: Topic = .marketData) -> SubscriptionKey {
    SubscriptionKey(topic: topic, target: "\(number)", conid: Int(number), number: number)
  }

  /// Lets time pass.
  mutating func pass(_ duration: Duration) {
    now = now.advanced(by: duration.nanoseconds)
  }

  mutating func message(
    topic: Topic? = nil,
    kind: FrameKind = .binary,
    bytes: Int,
    direction: Direction = .inbound,
    delay: Int64? = nil,
    isSnapshot: Bool = false
  ) {
    let payload = [UInt8](repeating: UInt8(ascii: "x"), count: bytes)
    payload.withUnsafeBytes { payload in
      builder.append(
        payload,
        direction: direction,
        kind: kind,
        realtime: now.realtime,
        monotonic: now.monotonic
      ) { record in
        record.topic = topic
        if let delay { record.updated = (now.realtime - delay) / 1_000_000 }
        if isSnapshot { record.flags.insert(.snapshot) }
      }
    }
  }

  mutating func own(_ event: OwnEvent) {
    builder.append(event, realtime: now.realtime, monotonic: now.monotonic)
  }

  /// Something becomes of a gap that begins when it is first told of.
  mutating func gap(
    _ id: Int,
    _ phase: Gap.Phase,
    _ keys: [SubscriptionKey],
    reason: GapReason = .disconnect
  ) {
    let moment = Gap.Moment(realtime: now.realtime, monotonic: now.monotonic)
    let start = state.openGaps[id]?.start ?? moment
    own(
      .gap(
        Gap(
          id: id,
          phase: phase,
          start: start,
          end: phase == .ended ? moment : nil,
          reason: reason,
          detectedBy: "a test",
          subscriptions: keys,
          seqFirst: 1
        )
      )
    )
  }

  /// What is known after everything so far.
  mutating func vitals() throws -> Vitals {
    if let batch = builder.take() { state.note(batch, at: now) }
    return state
  }

  /// The verdict as of now.
  mutating func verdict(stuckAfter: Duration = .seconds(300)) throws -> HealthVerdict {
    HealthVerdict(try vitals(), recorder: nil, at: now, stuckAfter: stuckAfter)
  }
}
