// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// How many seeds a property is tried with: few with every change, more when a script asks.
enum Seeds {
  /// How many a script has asked for.
  static var wanted: Int? {
    getenv("IBKR_TEST_SEEDS").flatMap { Int(String(cString: $0)) }
  }

  static func count(_ few: Int) -> Int { max(few, wanted ?? 0) }

  /// Whether there is time for everything.
  static var areMany: Bool { wanted ?? 0 >= 100 }
}
