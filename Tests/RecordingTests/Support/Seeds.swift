// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// How many seeds a property is tried with: few with every change, more when a script asks.
enum Seeds {
  static var areMany: Bool { getenv("IBKR_TEST_SEEDS") != nil }

  static func count(_ few: Int) -> Int {
    guard let text = getenv("IBKR_TEST_SEEDS") else { return few }
    return Int(String(cString: text)).map { max(few, $0) } ?? few
  }
}
