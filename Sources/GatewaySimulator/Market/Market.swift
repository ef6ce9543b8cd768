// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// All instruments that somebody watches, each walking at its own times.
struct Market: Sendable {
  /// How often an instrument changes.
  enum Pace: Sendable, Hashable {
    /// At distances of so many milliseconds, at random.
    case between(ClosedRange<Int64>)
    /// At equal distances of this many nanoseconds.
    case every(Int64)

    /// Every 500 ms to 2 s: the documented limit and what busy stocks show.
    static let natural = Pace.between(500...2_000)
  }

  private let seed: UInt64
  private var pace: Pace
  private var feeds: [Int: InstrumentFeed] = [:]
  private var watchers: [Int: Int] = [:]
  private var timing: SplitMix64
  private var agenda = Agenda<Int>()

  init(seed: UInt64, pace: Pace) {
    self.seed = seed
    self.pace = pace
    timing = SplitMix64(seed: seed, stream: .max)
  }

  /// When the next instrument changes.
  var nextTime: Int64? { agenda.nextTime }

  /// The state of an instrument; it starts at its first watcher.
  func feed(_ conid: Int) -> InstrumentFeed? { feeds[conid] }

  /// Lets an instrument walk as long as somebody watches it.
  mutating func watch(_ instrument: Instrument, from now: Int64) {
    let conid = instrument.conid
    if feeds[conid] == nil { feeds[conid] = InstrumentFeed(instrument, seed: seed) }
    watchers[conid, default: 0] += 1
    guard watchers[conid] == 1 else { return }
    switch instrument.behaviour {
    case .live, .availabilityFirst, .halted: agenda.insert(conid, at: now + interval())
    case .frozen, .noData: break
    }
  }

  /// Takes one watcher away; with the last one the instrument stands still.
  mutating func unwatch(_ conid: Int) {
    guard let count = watchers[conid] else { return }
    watchers[conid] = count > 1 ? count - 1 : nil
    if count == 1 { agenda.removeAll { $0 == conid } }
  }

  /// Lets an instrument change now, beside its times.
  ///
  /// - Returns: Its state; nil if nobody watches it, or nothing ever changes of it.
  mutating func jolt(_ conid: Int) -> InstrumentFeed? {
    guard watchers[conid] != nil, let behaviour = feeds[conid]?.instrument.behaviour else {
      return nil
    }
    guard behaviour != .frozen, behaviour != .noData else { return nil }
    feeds[conid]?.step()
    return feeds[conid]
  }

  /// Lets all instruments change more often, or less, from now on.
  mutating func change(_ pace: Pace, at now: Int64) {
    self.pace = pace
    // Whatever is due in an hour at the old pace is due soon at the new one.
    for (_, conid) in agenda.takeAll() { agenda.insert(conid, at: now + interval()) }
  }

  /// Makes the next change that is due.
  ///
  /// - Returns: Its time and its instrument; nil if none is due.
  mutating func step(until now: Int64) -> (time: Int64, conid: Int)? {
    guard let (time, conid) = agenda.next(until: now) else { return nil }
    feeds[conid]?.step()
    agenda.insert(conid, at: time + interval())
    return (time, conid)
  }

  private mutating func interval() -> Int64 {
    switch pace {
    case .between(let milliseconds): timing.next(in: milliseconds) * 1_000_000
    case .every(let nanoseconds): max(1, nanoseconds)
    }
  }
}
