// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Moments as a person reads and writes them, in UTC.
enum TimeText {
  /// A moment as `2026-11-23T14:30:00.123Z`.
  ///
  /// - Parameter realtime: Nanoseconds since 1970.
  /// - Returns: The text.
  static func text(_ realtime: Int64) -> String {
    let date = UTCDate(realtime: realtime)
    let rest = (realtime - date.start) / 1_000_000
    let (seconds, milliseconds) = rest.quotientAndRemainder(dividingBy: 1_000)
    let parts = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }
    return "\(date)T\(parts.joined(separator: ":")).\(padded(milliseconds, 3))Z"
  }

  /// A span of time as `1d 02:03:04` or `4.250 s`.
  ///
  /// - Parameter nanoseconds: Its length.
  /// - Returns: The text.
  static func span(_ nanoseconds: Int64) -> String {
    let milliseconds = nanoseconds / 1_000_000
    if milliseconds < 60_000 {
      return "\(milliseconds / 1_000).\(padded(milliseconds % 1_000, 3)) s"
    }
    let seconds = milliseconds / 1_000
    let parts = [seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }
    let days = seconds / 86_400
    return (days > 0 ? "\(days)d " : "") + parts.joined(separator: ":")
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// Reads a moment: `2026-11-23`, `2026-11-23T14:30`, `2026-11-23T14:30:00.5Z`, or nanoseconds
  /// since 1970.
  ///
  /// - Parameter text: The text.
  /// - Returns: Nanoseconds since 1970; nil if the text is no moment in UTC.
  static func moment(_ text: String) -> Int64? {
    if let number = Int64(text), number > 1_000_000_000_000_000 { return number }
    let sides = text.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
    let date = sides[0].split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
    guard date.count == 3, let year = date[0], let month = date[1], let day = date[2],
      let day = UTCDate(year: year, month: month, day: day)
    else { return nil }
    guard sides.count > 1 else { return day.start }
    return time(sides[1]).map { day.start + $0 }
  }

  /// Reads `14:30`, `14:30:00`, `14:30:00.5Z` as nanoseconds since midnight.
  private static func time(_ text: Substring) -> Int64? {
    var text = text
    if text.last == "Z" { text.removeLast() }
    let point = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = point[0].split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
    guard 2...3 ~= parts.count, let hours = parts[0], let minutes = parts[1], 0..<24 ~= hours,
      0..<60 ~= minutes
    else { return nil }
    let seconds = parts.count > 2 ? parts[2] : 0
    guard let seconds, 0..<60 ~= seconds else { return nil }
    let whole = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000
    guard point.count > 1 else { return whole }
    guard 1...9 ~= point[1].count, let digits = Int64(point[1]), digits >= 0 else { return nil }
    return whole + (0..<(9 - point[1].count)).reduce(digits) { number, _ in number * 10 }
  }
}
