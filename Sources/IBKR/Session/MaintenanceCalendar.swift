// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Where IBKR's servers are that hold the session: their midnight ends it.
public enum SessionRegion: String, Sendable, Hashable, CaseIterable {
  /// New York.
  case america
  /// Zug.
  case europe
  /// Hong Kong.
  case asia
}

/// When IBKR resets or maintains its servers (protocol reference 3.6).
///
/// The windows are wide on purpose: documented are midnight for the login and about 01:00 for the
/// brokerage session, seen were 23:03, 00:15 and 00:30. Nothing is switched off in a window; it only
/// gives a loss its name and the questions their pace.
struct MaintenanceCalendar: Sendable {
  let region: SessionRegion
  /// Whether there are windows at all.
  var isObserved = true

  /// The window that a moment is in, nil if in none.
  ///
  /// - Parameter realtime: Nanoseconds since 1970.
  /// - Returns: What to call it.
  func window(at realtime: Int64) -> String? {
    guard isObserved else { return nil }
    // The weekly maintenance is by New York's clock for everybody.
    let eastern = LocalTime(realtime, in: .america)
    switch (eastern.weekday, eastern.minute) {
    case (5, (23 * 60)...), (6, ..<(3 * 60)): return "IBKR's weekly maintenance, Friday night"
    case (6, (18 * 60)...): return "IBKR's weekly maintenance, Saturday evening"
    default: break
    }
    let minute = LocalTime(realtime, in: region).minute
    guard minute >= 23 * 60 || minute < 90 else { return nil }
    return "IBKR's nightly reset, 23:00 to 01:30 in \(region.city)"
  }
}

extension SessionRegion {
  fileprivate var city: String {
    switch self {
    case .america: "New York"
    case .europe: "Zug"
    case .asia: "Hong Kong"
    }
  }
}

/// What the clocks on the wall show.
struct LocalTime: Equatable, Sendable {
  /// 0 is Sunday.
  let weekday: Int64
  /// Since midnight.
  let minute: Int64

  init(_ realtime: Int64, in region: SessionRegion) {
    let local = realtime + Self.offset(realtime, region) * 3_600_000_000_000
    let date = UTCDate(realtime: local)
    weekday = date.weekday
    minute = (local - date.day * 86_400_000_000_000) / 60_000_000_000
  }

  /// Hours ahead of UTC.
  private static func offset(_ realtime: Int64, _ region: SessionRegion) -> Int64 {
    let date = UTCDate(realtime: realtime)
    let (_, month, day) = date.civil
    let hour = (realtime - date.day * 86_400_000_000_000) / 3_600_000_000_000
    // The date of this month's first Sunday.
    let first = (day - date.weekday + 34) % 7 + 1
    switch region {
    case .america:
      // From the second Sunday of March, 02:00 EST, to the first of November, 02:00 EDT.
      let isSummer =
        switch month {
        case 4...10: true
        case 3: day > first + 7 || day == first + 7 && hour >= 7
        case 11: day < first || day == first && hour < 6
        default: false
        }
      return isSummer ? -4 : -5
    case .europe:
      // From the last Sunday of March to the last of October, both at 01:00 UTC.
      let last = first + (31 - first) / 7 * 7
      let isSummer =
        switch month {
        case 4...9: true
        case 3: day > last || day == last && hour >= 1
        case 10: day < last || day == last && hour < 1
        default: false
        }
      return isSummer ? 2 : 1
    case .asia:
      return 8
    }
  }
}
