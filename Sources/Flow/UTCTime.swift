// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A point in time as RFC 3339 writes it, in UTC and to the nanosecond:
/// `2026-11-23T14:30:00.123456789Z`.
package struct UTCTime: Sendable, Hashable {
  /// Nanoseconds since 1970.
  package let realtime: Int64

  /// Names a point in time.
  ///
  /// - Parameter realtime: Nanoseconds since 1970.
  package init(realtime: Int64) {
    self.realtime = realtime
  }

  /// Reads a point in time as ``description`` writes it; nothing comes of any other text.
  ///
  /// - Parameter text: Thirty bytes.
  package init?(_ text: UnsafeRawBufferPointer) {
    guard text.count == 30, text[29] == UInt8(ascii: "Z") else { return nil }
    for (index, byte) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, ".")]
    where text[index] != byte.utf8.first { return nil }
    guard let year = Self.number(text[0..<4]), let month = Self.number(text[5..<7]),
      let day = Self.number(text[8..<10]), let hour = Self.number(text[11..<13]),
      let minute = Self.number(text[14..<16]), let second = Self.number(text[17..<19]),
      let fraction = Self.number(text[20..<29]),
      let date = UTCDate(year: year, month: month, day: day), hour < 24, minute < 60, second < 60
    else { return nil }
    let seconds = date.day * 86_400 + hour * 3_600 + minute * 60 + second
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = whole.addingReportingOverflow(fraction)
    guard !overflow, !overflow2 else { return nil }
    realtime = sum
  }

  private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> Int64? {
    var number: Int64 = 0
    for byte in digits {
      let digit = byte &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      number = number * 10 + Int64(digit)
    }
    return number
  }
}

extension UTCTime: CustomStringConvertible {
  /// The point in time as text of thirty characters.
  package var description: String {
    let date = UTCDate(realtime: realtime)
    // Never negative, and less than a day.
    let rest = realtime - date.start
    let seconds = rest / 1_000_000_000
    let clock = [seconds / 3_600, seconds / 60 % 60, seconds % 60]
      .map { UTCDate.padded($0, 2) }
      .joined(separator: ":")
    return "\(date)T\(clock).\(UTCDate.padded(rest % 1_000_000_000, 9))Z"
  }
}
