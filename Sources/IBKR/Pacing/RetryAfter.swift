// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1

/// The field `Retry-After` (RFC 9110 section 10.2.3).
enum RetryAfter {
  /// Reads it: so many seconds, or a date.
  ///
  /// - Parameters:
  ///   - text: The field's value.
  ///   - now: The realtime clock, in nanoseconds since 1970.
  /// - Returns: How long to wait from now, at most a day; nil for what is neither.
  static func nanoseconds(of text: String, now: Int64) -> Int64? {
    let second: Int64 = 1_000_000_000
    let wait: Int64
    if !text.isEmpty, text.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) {
      // More digits than a number holds are a long time.
      wait = Int64(text) ?? .max
    } else if let date = HTTPDate.seconds(of: text) {
      // A date is rounded down to its second, as is the moment that it is compared with.
      wait = max(0, date - now / second)
    } else {
      return nil
    }
    return min(wait, 86_400) * second
  }
}
