// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// What the process has used of the machine, and when that was.
struct Usage: Sendable {
  var monotonic: Int64
  var userSeconds: Double
  var systemSeconds: Double
  var peakMegabytes: Double

  static func now() -> Usage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Usage(
      monotonic: monotonic(),
      userSeconds: seconds(usage.ru_utime),
      systemSeconds: seconds(usage.ru_stime),
      // Linux counts in KiB.
      peakMegabytes: Double(usage.ru_maxrss) / 1024
    )
  }

  /// `CLOCK_MONOTONIC` in ns, which the server stamps its messages with.
  static func monotonic() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }
}
