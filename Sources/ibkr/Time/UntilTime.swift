// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Flow
import Glibc

/// The value of `--until`: `2026-11-28T21:00:00Z`, `16:00`, `16:00@America/New_York`,
/// `2026-11-28T16:00@America/New_York`.
struct UntilTime: ExpressibleByArgument, Hashable {
  private let date: UTCDate?
  /// Seconds after midnight; nil for the midnight that the date begins with.
  private let time: Int64
  /// The zone's name, nil for the machine's own.
  let zone: String?

  /// What is there to be written.
  static let help = "16:00, 16:00@America/New_York or 2026-11-28T21:00:00Z"

  init?(argument: String) {
    let sides = argument.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    var text = sides[0]
    var zone = sides.count > 1 ? String(sides[1]) : nil
    if text.hasSuffix("Z") || text.hasSuffix("z") {
      guard zone == nil else { return nil }
      zone = "UTC"
      text = text.dropLast()
    }
    guard zone?.isEmpty != true else { return nil }
    let parts = text.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
    guard let clock = Self.clock(parts[parts.count - 1]) else { return nil }
    if parts.count > 1 {
      let numbers = parts[0].split(separator: "-", omittingEmptySubsequences: false).map {
        Int64($0)
      }
      guard numbers.count == 3, let year = numbers[0], let month = numbers[1], let day = numbers[2],
        let date = UTCDate(year: year, month: month, day: day)
      else { return nil }
      self.date = date
    } else {
      date = nil
    }
    (time, self.zone) = (clock, zone)
  }

  private static func clock(_ text: Substring) -> Int64? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard 2...3 ~= parts.count, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isNumber) }),
      let hours = Int64(parts[0]), let minutes = Int64(parts[1]), hours < 24, minutes < 60
    else { return nil }
    guard let seconds = parts.count > 2 ? Int64(parts[2]) : 0, seconds < 60 else { return nil }
    return hours * 3_600 + minutes * 60 + seconds
  }

  /// When it is.
  ///
  /// A time without a date is the next one that the zone's clocks show. One that they leave out, because
  /// they are put forward, is the moment at which they are; of one that they show twice it is the first
  /// that is still to come.
  ///
  /// - Parameters:
  ///   - now: Nanoseconds since 1970.
  ///   - zone: The zone.
  /// - Returns: Nanoseconds since 1970; nil if a date was given and the time is over.
  func moment(after now: Int64, in zone: ZoneInfo) -> Int64? {
    let seconds = now / 1_000_000_000
    let today = UTCDate(realtime: (seconds + zone.offset(at: seconds)) * 1_000_000_000)
    let days = date.map { [$0.day] } ?? [today.day - 1, today.day, today.day + 1, today.day + 2]
    for day in days {
      for moment in Self.moments(day * 86_400 + time, in: zone) where moment > seconds {
        return moment * 1_000_000_000
      }
    }
    return nil
  }

  /// The moments at which a zone's clocks show something, in order.
  private static func moments(_ local: Int64, in zone: ZoneInfo) -> [Int64] {
    // The offsets that count around then; no zone is further than a day from UTC.
    let offsets = Set([-86_400, 0, 86_400].map { zone.offset(at: local + $0) })
    let moments = offsets.map { local - $0 }.filter { $0 + zone.offset(at: $0) == local }.sorted()
    guard moments.isEmpty, let most = offsets.max(), let least = offsets.min() else {
      return moments
    }
    // Left out: the first moment whose clocks show more is between the two.
    var (before, after) = (local - most, local - least)
    while after - before > 1 {
      let middle = before + (after - before) / 2
      if middle + zone.offset(at: middle) > local { after = middle } else { before = middle }
    }
    return [after]
  }

  /// When it is, by the machine's clock and its database of zones.
  ///
  /// - Parameter now: Nanoseconds since 1970.
  /// - Returns: Nanoseconds since 1970.
  /// - Throws: `ValidationError` for an unknown zone, or a time that is over.
  func moment(after now: Int64) throws -> Int64 {
    guard let moment = moment(after: now, in: try ZoneFiles.zone(zone)) else {
      throw ValidationError(
        "--until is in the past: it is \(TimeText.text(now)) now, leave the date out or give a later one"
      )
    }
    return moment
  }
}

/// The system's time zones.
enum ZoneFiles {
  /// Where they are.
  static let folder = "/usr/share/zoneinfo"

  /// A zone by its name, nil for that of the machine.
  ///
  /// - Throws: `ValidationError`, also if the database is not installed.
  static func zone(_ name: String?) throws -> ZoneInfo {
    guard let name else { return try local() }
    if ["UTC", "GMT", "Z"].contains(name) { return .utc }
    let isName =
      !name.hasPrefix("/") && !name.contains("..")
      && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_+-/".contains($0)) }
    guard isName else {
      throw ValidationError("'\(name)' is no time zone: write one as America/New_York")
    }
    guard access(folder, R_OK) == 0 else {
      throw ValidationError(
        "there are no time zones in \(folder): install them (apt-get install tzdata), or write the "
          + "time in UTC, as 21:00@UTC"
      )
    }
    guard let zone = read("\(folder)/\(name)") else {
      throw ValidationError(
        "there is no time zone '\(name)' in \(folder): write one as America/New_York; they are "
          + "listed by: timedatectl list-timezones"
      )
    }
    return zone
  }

  /// The zone of `TZ`, else that of `/etc/localtime`, else UTC, as the C library has it.
  private static func local() throws -> ZoneInfo {
    guard let value = getenv("TZ").map({ String(cString: $0) }) else {
      return read("/etc/localtime") ?? .utc
    }
    let name = value.hasPrefix(":") ? String(value.dropFirst()) : value
    if name.isEmpty { return .utc }
    if let zone = read(name.hasPrefix("/") ? name : "\(folder)/\(name)") { return zone }
    if let rule = PosixZone(name) { return ZoneInfo(rule) }
    return try zone(name)
  }

  private static func read(_ path: String) -> ZoneInfo? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    // The largest has 4 kB.
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = Glibc.read(file, &bytes, bytes.count)
    return count > 0 ? ZoneInfo(Array(bytes[..<count])) : nil
  }
}
