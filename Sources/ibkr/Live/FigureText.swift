// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// Figures as they are read at a glance.
enum FigureText {
  /// A whole number in groups of three: `1 284`.
  static func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += " " }
      text.append(digit)
    }
    return text
  }

  /// A number with one digit behind the point below ten, and none above: `2.1`, `41`.
  static func rounded(_ number: Double) -> String {
    let tenths = (number * 10).rounded()
    guard tenths.magnitude < 1e15 else { return "\(number)" }
    return tenths.magnitude < 100
      ? "\(Int(tenths) / 10).\(Int(tenths.magnitude) % 10)" : grouped(Int(number.rounded()))
  }

  /// A number of bytes: `2.1 MB`.
  static func bytes(_ count: Double) -> String {
    var (value, unit) = (count, "B")
    for next in ["kB", "MB", "GB", "TB"] where value.magnitude >= 1_000 {
      (value, unit) = (value / 1_000, next)
    }
    return unit == "B" ? "\(Int(value.rounded())) B" : "\(rounded(value)) \(unit)"
  }

  /// How long something has lasted, in its largest unit: `7s`, `12m`, `3h`, `5d`.
  static func age(_ nanoseconds: Int64) -> String {
    let seconds = max(0, nanoseconds) / 1_000_000_000
    if seconds < 120 { return "\(seconds)s" }
    if seconds < 7_200 { return "\(seconds / 60)m" }
    return seconds < 172_800 ? "\(seconds / 3_600)h" : "\(seconds / 86_400)d"
  }

  /// How long until something happens: `2:14`, `1:02:14`.
  static func countdown(_ nanoseconds: Int64) -> String {
    let seconds = max(0, nanoseconds) / 1_000_000_000
    func padded(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60)
    return (hours > 0 ? "\(hours):\(padded(minutes))" : "\(minutes)") + ":\(padded(seconds % 60))"
  }

  /// A delay in milliseconds, in seconds from ten on.
  static func delay(_ seconds: Double) -> String {
    seconds.magnitude < 10
      ? "\(Int((seconds * 1_000).rounded())) ms" : "\(rounded(seconds)) s"
  }

  /// A quantity without a price's digits: as it is, and from ten millions on in millions.
  static func quantity(_ decimal: Decimal) -> String {
    let value = decimal.doubleValue
    if value.magnitude < 10_000_000 {
      guard let whole = Int(exactly: value), value.magnitude >= 10_000 else {
        return decimal.description
      }
      return grouped(whole)
    }
    let (scaled, unit) = value.magnitude < 1e9 ? (value / 1e6, "M") : (value / 1e9, "G")
    return "\(Int(scaled)).\(Int((scaled.magnitude * 10).rounded(.down)) % 10)\(unit)"
  }
}
