// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What is to happen when: entries come out by time, and by order of entry where times are equal.
struct Agenda<Entry: Sendable>: Sendable {
  // Latest first, so that the next entry is removed from the end.
  private var entries: [(time: Int64, entry: Entry)] = []

  /// The time of the next entry.
  var nextTime: Int64? { entries.last?.time }

  /// Adds an entry behind those of the same time.
  mutating func insert(_ entry: Entry, at time: Int64) {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].time > time { low = middle + 1 } else { high = middle }
    }
    entries.insert((time, entry), at: low)
  }

  /// Takes the next entry if its time has come.
  mutating func next(until now: Int64) -> (time: Int64, entry: Entry)? {
    guard let last = entries.last, last.time <= now else { return nil }
    return entries.removeLast()
  }

  /// Takes all entries, the next one first.
  mutating func takeAll() -> [(time: Int64, entry: Entry)] {
    defer { entries = [] }
    return entries.reversed()
  }

  /// Removes entries.
  mutating func removeAll(where condition: (Entry) -> Bool) {
    entries.removeAll { condition($0.entry) }
  }
}
