// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A day of the Gregorian calendar in UTC.
package struct UTCDate: Sendable, Hashable {
  /// Days since 1970-01-01.
  package let day: Int64

  /// The day of a moment.
  ///
  /// - Parameter realtime: Nanoseconds since 1970.
  package init(realtime: Int64) {
    let (quotient, remainder) = realtime.quotientAndRemainder(dividingBy: Self.length)
    day = remainder < 0 ? quotient - 1 : quotient
  }

  /// The day as the calendar names it; nil if the calendar has no such day.
  ///
  /// - Parameters:
  ///   - year: The year, from 1 to 9999.
  ///   - month: The month, from 1.
  ///   - day: The day of the month, from 1.
  package init?(year: Int64, month: Int64, day: Int64) {
    guard 1...9_999 ~= year, 1...12 ~= month, 1...31 ~= day else { return nil }
    // The way of `civil` backwards.
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear / 400
    let yearOfEra = shiftedYear - era * 400
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let date = UTCDate(day: era * 146_097 + dayOfEra - 719_468)
    guard date.civil == (year, month, day) else { return nil }
    self = date
  }

  private init(day: Int64) {
    self.day = day
  }

  /// The first nanosecond of the day, counted since 1970.
  package var start: Int64 { day * Self.length }

  /// Whether a moment belongs to the day: the cheap question, asked for every line.
  ///
  /// - Parameter realtime: Nanoseconds since 1970.
  /// - Returns: Whether it does.
  package func contains(_ realtime: Int64) -> Bool {
    let start = day * Self.length
    return realtime >= start && realtime - start < Self.length
  }

  /// The day as the calendar names it.
  package var civil: (year: Int64, month: Int64, day: Int64) {
    // Years begin in March here, so that the leap day is a year's last; 400 of them are an era of
    // 146,097 days. (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".)
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth)
  }

  /// The day of the week: 0 is Sunday.
  package var weekday: Int64 {
    // 1970-01-01 was a Thursday.
    let rest = (day + 4) % 7
    return rest < 0 ? rest + 7 : rest
  }

  /// A day in nanoseconds.
  package static let length: Int64 = 86_400_000_000_000
}

extension UTCDate: Comparable {
  package static func < (first: UTCDate, second: UTCDate) -> Bool { first.day < second.day }
}

extension UTCDate: CustomStringConvertible {
  /// The day as `2026-11-23`.
  package var description: String {
    let (year, month, day) = civil
    return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
  }

  static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
