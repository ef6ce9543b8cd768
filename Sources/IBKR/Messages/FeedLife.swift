// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The signs of life of one subscription.
struct FeedLife: Sendable, Equatable {
  /// How many messages there were, images left out: those come whenever they are asked for.
  private(set) var ticks: UInt64 = 0
  /// How many messages there were that held a value which was not known, images included.
  private(set) var news: UInt64 = 0
  /// Whether the last message held a value at all: some images begin with the availability alone.
  private(set) var hasValue = false
  /// When the last message came.
  private(set) var lastHeard = Gap.Moment(realtime: 0, monotonic: 0)
  /// The number of the last message.
  private(set) var lastSeq: UInt64 = 0

  /// A message came.
  mutating func heard(_ record: EventRecord, isSnapshot: Bool, hasValue: Bool, isNews: Bool) {
    if !isSnapshot { ticks &+= 1 }
    if isNews { news &+= 1 }
    self.hasValue = hasValue
    lastHeard = Gap.Moment(realtime: record.realtime, monotonic: record.monotonic)
    lastSeq = record.seq
  }
}
