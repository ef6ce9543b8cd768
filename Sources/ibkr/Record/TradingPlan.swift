// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Whether an instrument is to be streamed at a time, by its trading hours.
struct TradingPlan: Hashable {
  /// Whether it is traded, or may be: what is not known is not missed.
  let isOpen: Bool
  /// When that changes, in seconds since 1970; nil if it is not known.
  let until: Int64?

  /// How long before the opening a subscription is made, in seconds, so that it is there by then.
  static let lead: Int64 = 30
  /// How long after the close it goes on, in seconds, because the last prints come late.
  static let tail: Int64 = 60

  /// Decides.
  ///
  /// - Parameters:
  ///   - hours: The hours, as asked for today; nil if nobody could tell them.
  ///   - now: Seconds since 1970.
  init(_ hours: TradingHours?, at now: Int64) {
    guard let hours, let last = hours.sessions.last, now < last.closing + Self.tail else {
      (isOpen, until) = (true, nil)
      return
    }
    // Sessions that are so close that nothing would be gained are one.
    var end: Int64?
    for session in hours.sessions {
      let (opening, closing) = (session.opening - Self.lead, session.closing + Self.tail)
      if let open = end {
        guard opening <= open else { break }
        end = max(open, closing)
      } else if now < opening {
        (isOpen, until) = (false, opening)
        return
      } else if now < closing {
        end = closing
      }
    }
    (isOpen, until) = (true, end)
  }
}
