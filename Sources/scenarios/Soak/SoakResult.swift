// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What was seen in the hours of one seed.
struct SoakResult: Sendable {
  private(set) var failures: [String] = []
  /// At the end of each hour.
  var vitals: [Vitals] = []
  var recoveries: [Recovery] = []
  var events = 0
  var quotes = 0
  var requests = 0
  /// What was sent, against what came.
  var ledger = LedgerCheck.Findings()
  /// Until when the last incident is a reason for a gap: some show late that they cost something.
  var excusedUntil = Duration.seconds(60)
  /// Gaps that have begun.
  var gaps = 0
  /// Times without a fault in which there was a gap that is too careful: a quiet instrument's price
  /// changed while it was asked for.
  var coincidences = 0
  /// What must be gone when the run is over.
  var leashes: [Leash] = []

  /// Notes that something was not as it must be.
  mutating func fail(_ words: String) { failures.append(words) }
}

/// How long it took until all was well after an incident.
struct Recovery: Sendable {
  let name: String
  /// The time from the end of the fault that is allowed.
  let limit: Duration
  /// The time that it took; zero if all was well then.
  let took: Duration

  init(_ incident: SoakPlan.Incident, limit: Duration, took: Duration) {
    name = incident.name
    self.limit = limit
    self.took = took
  }
}

/// Tells whether an object is still there.
struct Leash: Sendable {
  let name: String
  private weak let object: (any AnyObject & Sendable)?

  init(_ name: String, _ object: any AnyObject & Sendable) {
    self.name = name
    self.object = object
  }

  var isAlive: Bool { object != nil }
}
