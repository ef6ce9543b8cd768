// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// A rule for all times to come: `EST5EDT,M3.2.0,M11.1.0` (POSIX.1 8.3; RFC 8536 3.3.1).
struct PosixZone: Sendable {
  /// A day of the year.
  private enum Day {
    /// The week of a month, 5 being the last, and the day of the week from Sunday.
    case weekday(month: Int64, week: Int64, day: Int64)
    /// From 1, without the leap day.
    case julian(Int64)
    /// From 0, with the leap day.
    case ordinal(Int64)
  }

  private struct Change {
    let day: Day
    /// Seconds after midnight, by the clocks that count until then.
    let time: Int64
  }

  private let standard: Int64
  private var summer: (offset: Int64, begin: Change, end: Change)?

  /// A zone that is always so many seconds ahead of UTC.
  init(offset: Int64) {
    standard = offset
  }

  /// Reads a rule; nil for anything else.
  init?(_ text: String) {
    var reader = Reader(text: Substring(text))
    guard reader.name(), let west = reader.time() else { return nil }
    standard = -west
    guard !reader.text.isEmpty else { return }
    guard reader.name() else { return nil }
    var offset = standard + 3_600
    if let first = reader.text.first, first != "," {
      guard let west = reader.time() else { return nil }
      offset = -west
    }
    guard let begin = reader.change(), let end = reader.change(), reader.text.isEmpty else {
      return nil
    }
    summer = (offset, begin, end)
  }

  /// How many seconds the clocks are ahead of UTC.
  ///
  /// - Parameter time: Seconds since 1970.
  /// - Returns: The seconds.
  func offset(at time: Int64) -> Int64 {
    guard let summer else { return standard }
    let local = min(max(time, -9_000_000_000), 9_000_000_000) + standard
    let year = UTCDate(realtime: local * 1_000_000_000).civil.year
    guard let begin = Self.moment(summer.begin, in: year),
      let end = Self.moment(summer.end, in: year)
    else { return standard }
    let (from, to) = (begin - standard, end - summer.offset)
    // In the south the summer goes over the end of the year.
    let isSummer = from < to ? from <= time && time < to : !(to <= time && time < from)
    return isSummer ? summer.offset : standard
  }

  /// The seconds since 1970 at which a change would be, if the clocks showed UTC.
  private static func moment(_ change: Change, in year: Int64) -> Int64? {
    guard let newYear = UTCDate(year: year, month: 1, day: 1) else { return nil }
    let day: Int64
    switch change.day {
    case .ordinal(let number): day = newYear.day + number
    case .julian(let number):
      let isLeap = UTCDate(year: year, month: 2, day: 29) != nil
      day = newYear.day + number - 1 + (isLeap && number >= 60 ? 1 : 0)
    case .weekday(let month, let week, let weekday):
      guard let first = UTCDate(year: year, month: month, day: 1) else { return nil }
      let length = (29...31).last { UTCDate(year: year, month: month, day: $0) != nil } ?? 28
      var number = 1 + (weekday - first.weekday + 7) % 7 + (week - 1) * 7
      while number > length { number -= 7 }
      day = first.day + number - 1
    }
    return day * 86_400 + change.time
  }

  private struct Reader {
    var text: Substring

    mutating func take(_ character: Character) -> Bool {
      guard text.first == character else { return false }
      text = text.dropFirst()
      return true
    }

    /// `EST` or `<+03>`.
    mutating func name() -> Bool {
      if take("<") {
        guard let end = text.firstIndex(of: ">") else { return false }
        text = text[text.index(after: end)...]
        return true
      }
      let letters = text.prefix { $0.isASCII && $0.isLetter }
      text = text.dropFirst(letters.count)
      return letters.count >= 3
    }

    mutating func number(_ range: ClosedRange<Int64>) -> Int64? {
      let digits = text.prefix { "0"..."9" ~= $0 }
      guard digits.count <= 3, let number = Int64(digits), range.contains(number) else {
        return nil
      }
      text = text.dropFirst(digits.count)
      return number
    }

    /// `5`, `-3:30`, `+02:00:00`: seconds.
    mutating func time() -> Int64? {
      let sign: Int64 = take("-") ? -1 : 1
      if sign == 1 { _ = take("+") }
      guard let hours = number(0...167) else { return nil }
      var seconds = hours * 3_600
      for unit: Int64 in [60, 1] where take(":") {
        guard let count = number(0...59) else { return nil }
        seconds += count * unit
      }
      return sign * seconds
    }

    /// `,M3.2.0/2`, `,J60`, `,59/3`.
    mutating func change() -> Change? {
      guard take(","), let day = day() else { return nil }
      guard take("/") else { return Change(day: day, time: 7_200) }
      return time().map { Change(day: day, time: $0) }
    }

    private mutating func day() -> Day? {
      if take("M") {
        guard let month = number(1...12), take("."), let week = number(1...5), take("."),
          let day = number(0...6)
        else { return nil }
        return .weekday(month: month, week: week, day: day)
      }
      if take("J") { return number(1...365).map { .julian($0) } }
      return number(0...365).map { .ordinal($0) }
    }
  }
}
