// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// One moment as three clocks show it, in nanoseconds.
///
/// Three, because none alone is enough for a recording: only `realtime` says when, and it can be
/// set; only `monotonic` measures durations; and only the distance between `boot` and
/// `monotonic` tells that the machine slept.
public struct Timestamp: Sendable, Hashable {
  /// Nanoseconds since 1970 (`CLOCK_REALTIME`): when it was, for people and files.
  public var realtime: Int64

  /// Nanoseconds of `CLOCK_MONOTONIC`: for durations and deadlines; stands still in suspend.
  public var monotonic: Int64

  /// Nanoseconds of `CLOCK_BOOTTIME`: as `monotonic`, but counts the time in suspend.
  public var boot: Int64

  /// Makes a moment from the three clocks' readings.
  ///
  /// - Parameters:
  ///   - realtime: Nanoseconds since 1970.
  ///   - monotonic: Nanoseconds of the monotonic clock.
  ///   - boot: Nanoseconds of the boot time clock.
  public init(realtime: Int64, monotonic: Int64, boot: Int64) {
    self.realtime = realtime
    self.monotonic = monotonic
    self.boot = boot
  }

  /// How long the machine was suspended between an earlier moment and this one, in nanoseconds.
  ///
  /// Two readings of two clocks are never simultaneous: expect microseconds of noise around zero.
  ///
  /// - Parameter earlier: The earlier moment.
  /// - Returns: The suspended time; zero, give or take the noise, if there was none.
  public func suspended(since earlier: Timestamp) -> Int64 {
    (boot - earlier.boot) - (monotonic - earlier.monotonic)
  }
}

extension Timestamp {
  /// The moment at which the running time of all three clocks is larger by `nanoseconds`.
  package func advanced(by nanoseconds: Int64) -> Timestamp {
    Timestamp(
      realtime: realtime + nanoseconds,
      monotonic: monotonic + nanoseconds,
      boot: boot + nanoseconds
    )
  }
}

extension Duration {
  /// The duration in nanoseconds, as deadlines on the loop count; at the ends of `Int64` it stops.
  package var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    guard !overflow, !overflow2 else { return seconds < 0 ? .min : .max }
    return sum
  }
}
