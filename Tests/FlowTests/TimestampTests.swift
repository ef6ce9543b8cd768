// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Testing

struct TimestampTests {
  @Test func `Only suspend separates boot time from monotonic time`() {
    let start = Timestamp(realtime: 1_000, monotonic: 10, boot: 500)
    #expect(start.advanced(by: 70).suspended(since: start) == 0)
    let woken = Timestamp(realtime: 9_000, monotonic: 12, boot: 8_502)
    #expect(woken.suspended(since: start) == 8_000)
  }

  @Test(arguments: [
    (Duration.zero, Int64(0)), (.milliseconds(1_500), 1_500_000_000), (.nanoseconds(-7), -7),
    (.seconds(Int64.max), .max), (.seconds(Int64.min), .min),
  ])
  func `A duration in nanoseconds stops at the ends of the range`(
    duration: Duration,
    nanoseconds: Int64
  ) {
    #expect(duration.nanoseconds == nanoseconds)
  }
}
