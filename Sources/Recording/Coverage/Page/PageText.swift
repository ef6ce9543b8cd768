// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Text of the page.
enum PageText {
  /// A text that stands for itself in HTML, also within the quotes of an attribute.
  static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      // A page may not have it at all.
      case "\0": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A moment as `2026-11-23 14:30:00`.
  static func moment(_ realtime: Int64) -> String {
    let text = UTCTime(realtime: TimeGrid.clamped(realtime)).description
    return text.prefix(10) + " " + text.dropFirst(11).prefix(8)
  }

  /// A moment as an attribute `datetime` has it.
  static func machine(_ realtime: Int64) -> String {
    UTCTime(realtime: TimeGrid.clamped(realtime)).description.prefix(23) + "Z"
  }

  /// A span of time in its two largest units: `6 h 30 min`.
  static func span(_ nanoseconds: Int64) -> String {
    let milliseconds = nanoseconds / 1_000_000
    let seconds = milliseconds / 1_000
    return switch seconds {
    case ..<1: "\(milliseconds) ms"
    case ..<60: "\(seconds).\(milliseconds % 1_000 / 100) s"
    case ..<3_600: two(seconds, 60, "min", "s")
    case ..<86_400: two(seconds / 60, 60, "h", "min")
    default: two(seconds / 3_600, 24, "d", "h")
    }
  }

  private static func two(_ count: Int64, _ base: Int64, _ large: String, _ small: String)
    -> String
  {
    let (many, few) = count.quotientAndRemainder(dividingBy: base)
    return few == 0 ? "\(many) \(large)" : "\(many) \(large) \(few) \(small)"
  }

  /// A bucket's width as a word: `minute`, `5 minutes`.
  static func width(_ nanoseconds: Int64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    let units: [(Int64, String)] = [
      (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"),
    ]
    for (unit, name) in units where seconds >= unit {
      return seconds == unit ? name : "\(seconds / unit) \(name)s"
    }
    return "second"
  }

  /// A short time to two digits, as they are counted: `12 ms`, `1.2 s`.
  static func latency(_ nanoseconds: Int64) -> String {
    let units: [(Int64, String)] = [
      (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"),
    ]
    for (unit, name) in units where nanoseconds.magnitude >= UInt64(unit) {
      let tenths = unit == 1 ? nanoseconds * 10 : nanoseconds / (unit / 10)
      return abs(tenths) < 100 && tenths % 10 != 0
        ? "\(tenths / 10).\(abs(tenths % 10)) \(name)" : "\(grouped(tenths / 10)) \(name)"
    }
    return "0 ms"
  }

  /// A rate to two digits or the whole number: `0.25`, `4.2`, `120`.
  static func rate(_ messages: Int, in nanoseconds: Int64) -> String {
    guard nanoseconds > 0 else { return "0" }
    let rate = Double(messages) / (Double(nanoseconds) / 1e9)
    if rate >= 10 { return grouped(Int64(rate.rounded())) }
    let hundredths = Int64((rate * 100).rounded())
    let text = "\(hundredths / 100).\(hundredths % 100 / 10)"
    return rate >= 1 ? text : text + String(hundredths % 10)
  }

  /// A number with commas: `12,345`.
  static func grouped(_ number: Int64) -> String {
    var text = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
      if index > 0, index % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
  }

  /// A share in percent, never rounded up: 100 % means all.
  static func percent(_ share: Double) -> String {
    let hundredths = Int64((min(max(share, 0), 1) * 10_000).rounded(.down))
    if hundredths == 10_000 { return "100 %" }
    let rest = String(hundredths % 100)
    return "\(hundredths / 100).\(rest.count < 2 ? "0" : "")\(rest) %"
  }
}
