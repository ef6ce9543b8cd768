// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import JSON

/// The one line of JSON that a run prints.
enum Report {
  static func line(_ members: [(name: String, value: JSONValue)]) {
    print(JSONValue.object(members.map { .init(key: $0.name, value: $0.value) }).text)
  }

  /// A number with three decimals.
  static func number(_ value: Double) -> JSONValue {
    let thousandths = Int64((value * 1000).rounded())
    let fraction = String(abs(thousandths % 1000))
    let padding = String(repeating: "0", count: 3 - fraction.count)
    return .number("\(thousandths < 0 ? "-" : "")\(abs(thousandths / 1000)).\(padding)\(fraction)")
  }

  static func seconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
