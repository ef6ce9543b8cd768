// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// What the process has used of the machine.
struct Usage: Sendable {
  var userSeconds: Double
  var systemSeconds: Double
  var peakMegabytes: Double

  static func now() -> Usage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Usage(
      userSeconds: seconds(usage.ru_utime),
      systemSeconds: seconds(usage.ru_stime),
      // Linux counts in KiB.
      peakMegabytes: Double(usage.ru_maxrss) / 1024
    )
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }
}
