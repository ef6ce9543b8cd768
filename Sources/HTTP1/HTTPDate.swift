// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The dates of HTTP's fields (RFC 9110 §5.6.7).
package enum HTTPDate {
  /// Reads a date in any of the three forms that a recipient has to accept: as in
  /// `Sun, 06 Nov 1994 08:49:37 GMT`, and those of RFC 850 and of `asctime`.
  ///
  /// The day's name is of no meaning and is not compared with the date.
  ///
  /// - Parameter text: A field's value.
  /// - Returns: Seconds since 1970, nil for what is no date.
  package static func seconds(of text: String) -> Int64? {
    guard text.utf8.count <= 64 else { return nil }
    var parts = Array(text.split { $0 == " " || $0 == "," }.dropFirst())
    if parts.count == 3 {
      parts.replaceSubrange(
        0..<1,
        with: parts[0].split(separator: "-", omittingEmptySubsequences: false)
      )
    }
    switch parts.count {
    case 5 where parts[4] == "GMT":
      return seconds(day: parts[0], month: parts[1], year: parts[2], time: parts[3])
    case 4:
      return seconds(day: parts[1], month: parts[0], year: parts[3], time: parts[2])
    default: return nil
    }
  }

  private static func seconds(
    day: Substring,
    month: Substring,
    year: Substring,
    time: Substring
  ) -> Int64? {
    let clock = time.split(separator: ":", omittingEmptySubsequences: false).map(number)
    guard
      let day = number(day), let month = months.firstIndex(of: String(month)),
      var year = number(year), clock.count == 3,
      let hour = clock[0], let minute = clock[1], let second = clock[2],
      (1...31).contains(day), hour < 24, minute < 60,
      // A leap second counts as the next one.
      second <= 60
    else { return nil }
    // RFC 850 has two digits. Nothing on the web is older than 1970.
    if year < 70 { year += 2_000 } else if year < 100 { year += 1_900 }
    guard (1_601...9_999).contains(year) else { return nil }
    return days(year, Int64(month) + 1, day) * 86_400 + hour * 3_600 + minute * 60 + second
  }

  /// Days since 1970-01-01; a day that the month has not got counts into the next month.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    // Years begin in March here, so that the leap day is a year's last. (Howard Hinnant,
    // "chrono-Compatible Low-Level Date Algorithms".)
    let shifted = month <= 2 ? year - 1 : year
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
  }

  private static func number(_ text: Substring) -> Int64? {
    guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy(\.isASCIIDigit) else {
      return nil
    }
    return Int64(text)
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
}
