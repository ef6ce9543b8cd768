// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Judges the silence of each subscription against its own rate.
///
/// A subscription can end without a word while the connection and all others live (protocol
/// reference 4.9), and an instrument can be quiet for an hour. So silence alone proves nothing: it
/// makes a subscription suspect, and a suspect is asked for its image again, which a living one sends
/// whether there is news or not. If that held nothing new the instrument is just quiet, and the next
/// suspicion takes twice as long.
///
/// A value that is fed counts and times; it costs the reading thread one counter a message.
struct SilenceWatch: Sendable {
  /// What makes a silence suspicious, in nanoseconds.
  struct Limits: Sendable {
    /// How many times its own mean distance between messages a subscription may be silent.
    var factor: Int64 = 20
    /// No silence shorter than this is suspicious.
    var shortest: Int64 = 30_000_000_000
    /// Any silence longer than this is: a renewal is due by then anyway.
    var longest: Int64 = 510_000_000_000
    /// How often the counters are looked at.
    var sampling: Int64 = 5_000_000_000
  }

  private struct Watched: Sendable {
    var messages: UInt64
    var lastHeard: Int64
    /// The mean distance between two messages; nil before there were two.
    var distance: Int64?
    /// Doubled each time that a silence was only quiet.
    var patience: Int64 = 1
    var isSuspect = false
  }

  private let limits: Limits
  private var watched: [UInt32: Watched] = [:]

  init(limits: Limits = Limits()) {
    self.limits = limits
  }

  /// A subscription is active from now on.
  ///
  /// - Parameters:
  ///   - number: The subscription.
  ///   - messages: How many messages it has had so far.
  ///   - now: The monotonic clock.
  mutating func begin(_ number: UInt32, messages: UInt64, at now: Int64) {
    var state = watched[number] ?? Watched(messages: messages, lastHeard: now)
    state.messages = messages
    state.lastHeard = now
    state.isSuspect = false
    watched[number] = state
  }

  /// A subscription is not active any longer.
  mutating func end(_ number: UInt32) {
    watched[number] = nil
  }

  /// A suspect has sent its image, and nothing in it was news: it is alive, and quiet.
  mutating func provedQuiet(_ number: UInt32, messages: UInt64, at now: Int64) {
    begin(number, messages: messages, at: now)
    let patience = watched[number]?.patience ?? 1
    watched[number]?.patience = min(patience * 2, limits.longest / limits.shortest)
  }

  /// When ``look(at:messages:isExpected:)`` is due next.
  func deadline(after now: Int64) -> Int64? {
    watched.isEmpty ? nil : now + limits.sampling
  }

  /// Looks at the counters.
  ///
  /// - Parameters:
  ///   - now: The monotonic clock.
  ///   - messages: How many messages a subscription has had so far.
  ///   - isExpected: Whether its instrument is being traded now; silence outside of its hours does
  ///     not count.
  /// - Returns: Those that have become suspect, with how long they have been silent.
  mutating func look(
    at now: Int64,
    messages: (UInt32) -> UInt64,
    isExpected: (UInt32) -> Bool = { _ in true }
  ) -> [(number: UInt32, silence: Int64)] {
    var suspects: [(UInt32, Int64)] = []
    for number in watched.keys.sorted() {
      guard var state = watched[number] else { continue }
      let new = messages(number) &- state.messages
      let silence = now - state.lastHeard
      if new > 0 {
        let distance = silence / Int64(clamping: new)
        state.distance = state.distance.map { $0 + (distance - $0) / 8 } ?? distance
        state.messages &+= new
        state.lastHeard = now
        state.patience = 1
        state.isSuspect = false
      } else if !isExpected(number) {
        state.lastHeard = now
      } else if !state.isSuspect, silence >= limit(of: state) {
        state.isSuspect = true
        suspects.append((number, silence))
      }
      watched[number] = state
    }
    return suspects
  }

  private func limit(of state: Watched) -> Int64 {
    guard let distance = state.distance else { return limits.longest }
    let (own, overflow) = distance.multipliedReportingOverflow(by: limits.factor)
    let base = max(overflow ? .max : own, limits.shortest)
    let (patient, tooLong) = base.multipliedReportingOverflow(by: state.patience)
    return min(tooLong ? .max : patient, limits.longest)
  }
}
