// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The number of an event in its run, and the moment it happened.
public struct Stamp: Sendable, Hashable {
  /// The number: from 1, without a hole, over everything that happens in a run.
  public var seq: UInt64

  /// Wall-clock time in nanoseconds since 1970, UTC.
  ///
  /// It may step; never measure with it.
  public var realtime: Int64

  /// `CLOCK_MONOTONIC` in nanoseconds: differences of it are durations.
  public var monotonic: Int64

  /// Creates a stamp from its parts.
  public init(seq: UInt64, realtime: Int64, monotonic: Int64) {
    self.seq = seq
    self.realtime = realtime
    self.monotonic = monotonic
  }
}
