// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What a 429 opens: nothing is sent until its time is over, and then one request alone.
///
/// Whoever goes on asking stays in IBKR's penalty box, and repeated offenders may be blocked for
/// good (protocol reference 3.8).
struct Circuit: Sendable {
  /// The first pause without a `Retry-After`, in nanoseconds: longer than most limits' windows.
  static let firstPause: Int64 = 60_000_000_000
  /// The pause when the first one did not help: as long as the penalty box.
  static let longPause: Int64 = 900_000_000_000
  /// The longest `Retry-After` that is believed.
  static let longestPause: Int64 = 86_400_000_000_000

  private var openedAt: Int64?
  private var openUntil = Int64.min
  private var refusals = 0
  private var probe: UInt64?

  /// When requests may be sent again; nil if they may now, or one of them may.
  func pause(at now: Int64) -> Int64? {
    openedAt != nil && now < openUntil ? openUntil : nil
  }

  /// Whether a request may be sent now.
  func admits(at now: Int64) -> Bool {
    openedAt == nil || now >= openUntil && probe == nil
  }

  /// A request is sent.
  mutating func sent(_ ticket: UInt64) {
    if openedAt != nil { probe = ticket }
  }

  /// A request was answered by 429.
  ///
  /// - Parameters:
  ///   - ticket: The request.
  ///   - sentAt: When it was sent; several that were under way together count as one.
  ///   - retryAfter: What the server said, in nanoseconds.
  ///   - now: The monotonic time.
  mutating func refused(_ ticket: UInt64, sentAt: Int64, retryAfter: Int64?, at now: Int64) {
    if probe == ticket { probe = nil }
    if let openedAt, sentAt < openedAt {
      if let retryAfter { extend(by: retryAfter, at: now) }
      return
    }
    refusals += 1
    openedAt = now
    openUntil = now
    extend(by: retryAfter ?? (refusals == 1 ? Self.firstPause : Self.longPause), at: now)
  }

  /// A request was answered by anything else, or not at all.
  ///
  /// - Parameters:
  ///   - ticket: The request.
  ///   - isAnswered: Whether there was an answer: only that shows that the server is content.
  mutating func ended(_ ticket: UInt64, isAnswered: Bool) {
    guard probe == ticket else { return }
    probe = nil
    guard isAnswered else { return }
    openedAt = nil
    refusals = 0
  }

  private mutating func extend(by pause: Int64, at now: Int64) {
    openUntil = max(openUntil, now + min(max(pause, 1_000_000_000), Self.longestPause))
  }
}
