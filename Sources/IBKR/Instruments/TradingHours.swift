// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// When an instrument can be traded, for the days that the server has told of.
public struct TradingHours: Sendable, Hashable {
  /// One stretch of time without a break.
  public struct Session: Sendable, Hashable {
    /// When it opens, in seconds since 1970.
    public let opening: Int64
    /// When it closes, in seconds since 1970.
    public let closing: Int64
  }

  /// The exchange's time zone, as the server names it.
  public let timeZone: String?

  /// The sessions, regular and extended hours put together, in order.
  public let sessions: [Session]

  /// Puts sessions in order, and those together that overlap or touch.
  ///
  /// - Parameters:
  ///   - sessions: In any order; one that closes before it opens is left out.
  ///   - timeZone: The exchange's time zone.
  init(_ sessions: [Session], timeZone: String? = nil) {
    self.timeZone = timeZone
    var merged: [Session] = []
    for session in sessions.sorted(by: { ($0.opening, $0.closing) < ($1.opening, $1.closing) })
    where session.opening < session.closing {
      if let last = merged.last, session.opening <= last.closing {
        merged[merged.count - 1] = Session(
          opening: last.opening,
          closing: max(last.closing, session.closing)
        )
      } else {
        merged.append(session)
      }
    }
    self.sessions = merged
  }

  /// Reads an answer of `contract/trading-schedule` (protocol reference 6.1); nil if it is none.
  init?(answer: JSONValue) {
    guard let days = answer["schedules"]?.members else { return nil }
    let sessions = days.flatMap { day in
      ["liquid_hours", "extended_hours"].flatMap { day.value[$0]?.elements ?? [] }
    }
    self.init(
      sessions.compactMap { session in
        guard let opening = session["opening"]?.int, let closing = session["closing"]?.int else {
          return nil
        }
        return Session(opening: Int64(opening), closing: Int64(closing))
      },
      timeZone: answer["exchange_time_zone"]?.string
    )
  }

  /// Whether the instrument is traded at a time.
  ///
  /// - Parameter seconds: Seconds since 1970.
  /// - Returns: Nil before the first and after the last session that is known: nothing is known then.
  public func isOpen(at seconds: Int64) -> Bool? {
    guard let first = sessions.first, let last = sessions.last,
      (first.opening..<last.closing).contains(seconds)
    else { return nil }
    return sessions.contains { ($0.opening..<$0.closing).contains(seconds) }
  }
}
