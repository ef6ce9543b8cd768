// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Which address to try when, by RFC 8305; the attempts themselves are the caller's.
///
/// A value without a clock: `next(at:)` says what to do now.
struct HappyEyeballs: Sendable {
  /// The pause between the starts of two attempts (section 8: 250 ms).
  static let attemptDelay: Int64 = 250_000_000

  /// What to do next.
  enum Step: Sendable, Hashable {
    /// Start to connect to this address.
    case start(SocketAddress)
    /// Wait for an attempt to end, at most until this time.
    case wait(until: Int64?)
    /// There is nothing more to try.
    case exhausted
  }

  private var waiting: ArraySlice<SocketAddress>
  private var underWay = 0
  private var nextStart = Int64.min

  /// Plans attempts.
  ///
  /// - Parameter addresses: All addresses of the host, best first (RFC 6724).
  init(_ addresses: [SocketAddress]) {
    waiting = Self.interleaved(addresses)[...]
  }

  /// Alternates the families, beginning with that of the best address (section 4).
  static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
    guard let first = addresses.first else { return [] }
    let preferred = addresses.filter { $0.family == first.family }
    let others = addresses.filter { $0.family != first.family }
    var result: [SocketAddress] = []
    for index in 0..<max(preferred.count, others.count) {
      if index < preferred.count { result.append(preferred[index]) }
      if index < others.count { result.append(others[index]) }
    }
    return result
  }

  /// What to do now.
  ///
  /// - Parameter now: The monotonic time.
  /// - Returns: The next step; a start counts as done.
  mutating func next(at now: Int64) -> Step {
    guard let address = waiting.first else {
      return underWay == 0 ? .exhausted : .wait(until: nil)
    }
    guard underWay == 0 || now >= nextStart else { return .wait(until: nextStart) }
    waiting.removeFirst()
    underWay += 1
    nextStart = now + Self.attemptDelay
    return .start(address)
  }

  /// Notes that an attempt has failed, so that the next one need not wait (section 5).
  mutating func attemptFailed() {
    underWay -= 1
    nextStart = .min
  }
}
