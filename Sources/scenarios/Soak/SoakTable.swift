// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// The figures of many seeds, and what is wrong with them.
struct SoakTable {
  private var complaints: [UInt64: [String]] = [:]
  private var seeds = 0
  private let ceiling: Duration
  private var tallies: [String: RecoveryTally]
  private var (sent, delivered, inGaps, forReplaced) = (0, 0, 0, 0)
  private var (gaps, coincidences) = (0, 0)
  /// What the process had after each seed.
  private var vitals: [Vitals] = []

  init(ceiling: Duration) {
    self.ceiling = ceiling
    let names = SoakFaultKind.all.map(\.name) + [SoakPlan.Incident.several]
    tallies = Dictionary(uniqueKeysWithValues: names.map { ($0, RecoveryTally()) })
  }

  /// By how much the level that memory falls back to may rise within a run.
  ///
  /// Buffers and queues that a fault has filled come and go by megabytes, so the lowest level of
  /// some hours counts. Four bytes that stay of every event would be more in ten hours.
  private static let slackInRun = 768 << 10
  /// By how much it may differ between two seeds: nothing but what is made on first use is left.
  private static let slackBetweenRuns = 128 << 10
  /// What the allocator keeps of the highest level that there ever was.
  private static let residentSlack = 8 << 20

  /// After so many seeds everything that is made once has been made.
  private static let warmUp = 3

  /// How many seeds have failed.
  var failed: Int { complaints.values.count { !$0.isEmpty } }

  /// What is wrong with a seed.
  func failures(of seed: UInt64) -> [String] { complaints[seed] ?? [] }

  static let head =
    " seed server  faults   events   quotes requests gaps   worst   heap KiB: early   late  after"
    + "   RSS MiB: early  late   CPU"

  /// Adds a seed.
  ///
  /// - Returns: Its line.
  mutating func add(_ result: SoakResult, of plan: SoakPlan, milliseconds: Int64) -> String {
    let after = Vitals.now()
    seeds += 1
    for recovery in result.recoveries {
      tallies[recovery.name]?.add(recovery, ceiling: ceiling)
    }
    sent += result.ledger.sent
    delivered += result.ledger.delivered
    inGaps += result.ledger.inGaps
    gaps += result.gaps
    coincidences += result.coincidences
    forReplaced += result.ledger.forReplaced
    vitals.append(after)
    var failures = result.failures
    for leash in result.leashes where leash.isAlive { failures.append("not freed: \(leash.name)") }
    // Seldom enough to be believed.
    if result.coincidences > 3 {
      failures.append("\(result.coincidences) gaps of quiet instruments without a loss")
    }
    let (early, late) = Self.levels(result.vitals)
    if late.heap > early.heap + Self.slackInRun {
      failures.append("the heap has grown by \(kibibytes(late.heap - early.heap)) KiB")
    }
    if late.resident > early.resident + Self.residentSlack {
      failures.append("memory has grown by \(kibibytes(late.resident - early.resident)) KiB")
    }
    if vitals.count > Self.warmUp {
      let base = vitals[Self.warmUp - 1]
      if after.heap > base.heap + Self.slackBetweenRuns {
        failures.append("\(kibibytes(after.heap - base.heap)) KiB are left from earlier seeds")
      }
      if after.descriptors != base.descriptors {
        failures.append("\(after.descriptors) descriptors instead of \(base.descriptors)")
      }
      // The runtime's pool has a thread for each processor, when it needs them.
      if after.threads > base.threads + processors {
        failures.append("\(after.threads) threads instead of \(base.threads)")
      }
    }
    complaints[plan.seed] = failures
    let worst = result.recoveries.map(\.took).max() ?? .zero
    return [
      pad("\(plan.seed)", 5), " ", pad(plan.server.rawValue, -7),
      pad("\(result.recoveries.count)", 7), pad("\(result.events)", 9), pad("\(result.quotes)", 9),
      pad("\(result.requests)", 9), pad("\(result.gaps)", 5), pad(seconds(worst), 8), " s",
      pad(kibibytes(early.heap), 16), pad(kibibytes(late.heap), 7), pad(kibibytes(after.heap), 7),
      pad(mebibytes(early.resident), 17), pad(mebibytes(late.resident), 6),
      pad(seconds(.milliseconds(milliseconds)), 6), " s",
    ].joined()
  }

  /// The lowest of up to three hours after the first one, and of as many at the end.
  private static func levels(_ vitals: [Vitals]) -> (early: Lowest, late: Lowest) {
    let settled = vitals.count > 1 ? vitals.dropFirst() : vitals[...]
    let width = max(1, min(3, settled.count / 2))
    return (Lowest(settled.prefix(width)), Lowest(settled.suffix(width)))
  }

  /// What memory falls back to.
  private struct Lowest {
    let heap: Int
    let resident: Int

    init(_ vitals: ArraySlice<Vitals>) {
      heap = vitals.map(\.heap).min() ?? 0
      resident = vitals.map(\.resident).min() ?? 0
    }
  }

  /// The recoveries by kind of fault, what is left in the process, and the verdict.
  func summary() -> [String] {
    var lines = [
      "",
      "from the end of a fault until all subscriptions are active; the ceiling of the back-off is "
        + "\(seconds(ceiling)) s",
      "fault                  count   at once   within ceiling    median      worst   allowed",
    ]
    for (name, tally) in tallies.sorted(by: { $0.key < $1.key }) where tally.count > 0 {
      lines.append(
        [
          pad(name, -21), pad("\(tally.count)", 7), pad("\(tally.atOnce)", 10),
          pad("\(tally.withinCeiling)", 17), pad("\(tally.median)", 7), " s",
          pad(seconds(tally.worst), 9), " s", pad(seconds(tally.limit), 8), " s",
        ].joined()
      )
    }
    let all = tallies.values
    lines.append(
      "all: \(all.reduce(0) { $0 + $1.count }), at once: \(all.reduce(0) { $0 + $1.atOnce }), "
        + "within the ceiling: \(all.reduce(0) { $0 + $1.withinCeiling })"
    )
    lines.append(
      "sent: \(sent), delivered: \(delivered), in declared gaps: \(inGaps), "
        + "for a connection that was replaced: \(forReplaced)"
    )
    lines.append(
      "gaps: \(gaps), and without a fault \(coincidences) of a quiet instrument whose price changed "
        + "while it was asked for: nothing was lost, which the client cannot know"
    )
    if let base = vitals.dropFirst(Self.warmUp - 1).first, let last = vitals.last {
      lines.append(
        "after seed \(Self.warmUp) and after the last of \(seeds): heap \(kibibytes(base.heap)) and "
          + "\(kibibytes(last.heap)) KiB, descriptors \(base.descriptors) and "
          + "\(last.descriptors), threads \(base.threads) and \(last.threads)"
      )
    }
    lines.append("soak: \(seeds - failed) seeds passed, \(failed) failed")
    return lines
  }
}

private let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))

private func kibibytes(_ bytes: Int) -> String { "\(bytes >> 10)" }

private func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20)" }

private func seconds(_ duration: Duration) -> String {
  let (seconds, rest) = duration.components
  return "\(seconds).\(rest / 100_000_000_000_000_000)"
}

/// The text with spaces before it, or behind it where the width is negative.
private func pad(_ text: String, _ width: Int) -> String {
  let spaces = String(repeating: " ", count: max(0, abs(width) - text.count))
  return width < 0 ? text + spaces : spaces + text
}
