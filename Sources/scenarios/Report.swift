// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR

/// What was seen in a trial, held against what it asks for.
struct Report: Sendable {
  let trial: Trial
  let entries: [Witness.Entry]
  let gaps: [Gap]
  let requests: [ServedRequest]
  /// Market-data messages in the last 20 s.
  let lastQuotes: Int
  /// What the run ended with.
  let error: IbkrError?
  let notes: Notes
  /// What was sent against what came.
  let ledger: LedgerCheck.Findings
  /// The subscribers beside the one that sees everything.
  let heard: [Heard]

  /// What came of a subscriber.
  struct Heard: Sendable {
    let policy: OverflowPolicy.Action
    /// What it was given, and what it was told to have lost, of what the server sent.
    let taken: Int
    let lost: Int
    /// All events that it was told to have lost.
    let told: Int
    let hasFailed: Bool
    let problems: [String]
  }

  /// How fast the requests were.
  var pace: Pace { Pace(requests) }

  /// When it became ready for the last time, in milliseconds; nil if it is not.
  var readyAt: Int64? {
    guard let last = entries.last, last.phase == .ready else { return nil }
    return last.at
  }

  /// What is not as the trial asks for; empty for a pass.
  var failures: [String] {
    var failures: [String] = []
    if let error { failures.append("the run ended with an error: \(error)") }
    let limit = trial.readyBy.components.seconds * 1_000
    if let readyAt {
      if readyAt > limit { failures.append("ready only at \(seconds(readyAt)) s") }
    } else {
      failures.append("not ready at the end, but \(entries.last?.phase.rawValue ?? "silent")")
    }
    if !sees { failures.append("not seen in this order: \(words(trial.sees))") }
    let seen = Set(afterFirstReady.map(\.phase)).intersection(trial.avoids)
    if !seen.isEmpty { failures.append("seen, though it must not be: \(words(Array(seen)))") }
    let began = gaps.filter { $0.phase == .began && $0.reason != .overflow }.map(\.reason)
    if trial.gapsRepeat ? Set(began) != Set(trial.gaps) : began != trial.gaps {
      failures.append("gaps \(began.map(\.rawValue)) instead of \(trial.gaps.map(\.rawValue))")
    }
    failures += trial.expects.filter { !$0.holds(self) }.map {
      "expected \($0.words); seen \($0.seen(self))"
    }
    failures += ledgerFailures
    if gaps.contains(where: { $0.phase == .abandoned }) { failures.append("a gap never ended") }
    if trial.endsWithQuotes, lastQuotes == 0 { failures.append("no quotes at the end") }
    for row in pace.rows where !row.isAllowed { failures.append("too fast: \(row.name)") }
    return failures
  }

  /// Every message is accounted for: received, in a declared gap, or told as lost to a subscriber.
  private var ledgerFailures: [String] {
    var failures = ledger.problems.map { "ledger: \($0)" }
    if ledger.sent == 0 { failures.append("ledger: nothing was sent") }
    if ledger.delivered + ledger.inGaps != ledger.sent {
      failures.append("ledger: \(ledgerWords)")
    }
    if notes.unmarked > 0 { failures.append("\(notes.unmarked) images came twice, not marked so") }
    for subscriber in heard {
      failures += subscriber.problems.map { "\(subscriber.policy): \($0)" }
      let all = subscriber.taken + subscriber.lost
      // Whoever fails is not a subscriber any longer.
      if subscriber.hasFailed ? all > ledger.delivered : all != ledger.delivered {
        failures.append("\(subscriber.policy): \(all) of \(ledger.delivered) messages")
      }
    }
    return failures
  }

  private var sees: Bool {
    var wanted = trial.sees[...]
    for entry in entries where entry.phase == wanted.first { wanted.removeFirst() }
    return wanted.isEmpty
  }

  private var afterFirstReady: ArraySlice<Witness.Entry> {
    entries.drop { $0.phase != .ready }
  }
}

// MARK: - In words

extension Report {
  private var ledgerWords: String {
    "\(ledger.delivered) delivered + \(ledger.inGaps) in declared gaps = \(ledger.sent) sent"
  }

  /// The time line, the requests and the verdict, line by line.
  var lines: [String] {
    let faults = trial.events.map { event in
      (at: event.after.components.seconds * 1_000, text: "--- \(event.fault)")
    }
    let acts = trial.acts.map { act, after in
      (at: after.components.seconds * 1_000, text: "--- \(act)")
    }
    let moments =
      faults + acts
      + entries.map { (at: $0.at, text: pad($0.phase.rawValue, 20) + $0.reason) }
    var lines = [trial.summary]
    let sorted = moments.enumerated().sorted {
      ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
    }
    lines += sorted.map { "\(pad(seconds($0.element.at), -9)) s  \($0.element.text)" }
    lines += pace.rows.map { row in
      "           \(pad(row.name, 34)) at most \(pad("\(row.mostInMinute)", -3)) in a minute "
        + "(\(60 * row.allowedInSecond) allowed), \(row.mostInSecond) in a second "
        + "(\(row.allowedInSecond) allowed)"
    }
    lines.append(
      "           expected: \(words(trial.sees)), ready by \(trial.readyBy), "
        + gapWords(trial.gaps)
    )
    let seen = entries.last?.phase.rawValue ?? "nothing"
    let began = gaps.filter { $0.phase == .began }.map(\.reason)
    lines.append(
      "           seen: \(seen)\(readyAt.map { " since \(seconds($0)) s" } ?? ""), "
        + "\(gapWords(began)), \(lastQuotes) quotes in the last 20 s"
    )
    for expectation in trial.expects {
      lines.append("           expected: \(expectation.words)")
      lines.append("           seen: \(expectation.seen(self))")
    }
    for subscriber in heard {
      lines.append(
        "           \(subscriber.policy): \(subscriber.taken) taken + \(subscriber.lost) told as lost"
          + (subscriber.hasFailed
            ? ", then failed" : " + \(ledger.inGaps) in gaps = \(ledger.sent)")
      )
    }
    lines.append("           ledger: \(ledgerWords)")
    return lines + failures.map { "  FAILED   \($0)" }
  }
}

private func gapWords(_ gaps: [GapReason]) -> String {
  gaps.isEmpty ? "no gap" : "gaps: " + gaps.map(\.rawValue).joined(separator: ", ")
}

private func words(_ phases: [SessionPhase]) -> String {
  phases.map(\.rawValue).joined(separator: " → ")
}

private func seconds(_ milliseconds: Int64) -> String {
  let fraction = String(milliseconds % 1_000 + 1_000).dropFirst()
  return "\(milliseconds / 1_000).\(fraction)"
}

/// The text with spaces behind it, or before it where the width is negative.
private func pad(_ text: String, _ width: Int) -> String {
  let spaces = String(repeating: " ", count: max(0, abs(width) - text.count))
  return width < 0 ? spaces + text : text + spaces
}
