// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The signs of life of one subscription.
struct FeedLife: Sendable, Equatable {
  /// How many messages there were, images left out: those come whenever they are asked for.
  private(set) var ticks: UInt64 = 0
  /// The server's time of the latest news, in milliseconds; `Int64.min` before the first.
  private(set) var updated = Int64.min
  /// When the last message came.
  private(set) var lastHeard = Gap.Moment(realtime: 0, monotonic: 0)
  /// The number of the last message.
  private(set) var lastSeq: UInt64 = 0

  /// A message came.
  mutating func heard(_ record: EventRecord, isSnapshot: Bool) {
    if !isSnapshot { ticks &+= 1 }
    updated = max(updated, record.updated)
    lastHeard = Gap.Moment(realtime: record.realtime, monotonic: record.monotonic)
    lastSeq = record.seq
  }
}
