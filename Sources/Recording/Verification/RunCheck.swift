// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Puts the parts of one run together: whether the log is whole, and everything else follows from it.
struct RunCheck {
  /// What was found.
  private(set) var findings: [Finding] = []
  /// The time before the run in which nobody was recording, as the log says.
  private(set) var down: DownTime?

  private let run: RunID
  private let record: RunRecord?
  private var log: [PartCheck] = []
  private var others: [PartCheck] = []
  private var declared: [ClosedRange<UInt64>] = []

  init(_ run: RunID, record: RunRecord?) {
    self.run = run
    self.record = record
  }

  /// Takes a part that has been looked through.
  mutating func add(_ part: PartCheck) {
    if part.part.channel == .raw { log.append(part) } else { others.append(part) }
  }

  /// Takes what the manifest says of a part that was removed on purpose: the oldest go first, and
  /// with them what they said of losses.
  mutating func add(removed entry: ManifestEntry) {
    guard entry.channel == .raw else { return }
    declared.append(min(1, entry.seq.lowerBound)...entry.seq.upperBound)
  }

  /// The last number of the log, nil if there is none.
  var lastSeq: UInt64? { log.compactMap { $0.seq?.upperBound }.max() }

  /// Draws the conclusions.
  ///
  /// - Parameter isBeingRecorded: Whether the run is going on.
  mutating func finish(isBeingRecorded: Bool) {
    log.sort { ($0.seq?.lowerBound ?? 0) < ($1.seq?.lowerBound ?? 0) }
    declared += log.flatMap(\.declared)
    down = log.compactMap(\.down).first
    guard !log.isEmpty || record?.channels.contains(.raw) == true else { return }
    var numbers = SeqRanges()
    for part in log { numbers.formUnion(part.numbers) }
    checkTransitions()
    checkHoles(in: numbers)
    if !isBeingRecorded { checkEnd(of: numbers) }
    for part in others { checkOrigin(of: part, in: numbers) }
  }

  private mutating func checkTransitions() {
    for (part, next) in zip(log, log.dropFirst()) {
      if let last = part.seq?.upperBound, let first = next.seq?.lowerBound, first <= last {
        findings.append(
          Finding(
            .seqRepeated,
            next.path,
            "it begins with \(first), \(part.path) ends with \(last)"
          )
        )
      }
      if let last = part.monotonic?.last, let first = next.monotonic?.first, first < last {
        findings.append(
          Finding(.timeBackwards, next.path, "mono is less than at the end of \(part.path)")
        )
      }
    }
  }

  private mutating func checkHoles(in numbers: SeqRanges) {
    var holes = numbers.holes
    if let first = numbers.ranges.first?.lowerBound, first > 1 {
      holes.insert(1...first - 1, at: 0)
    }
    for hole in holes where !isDeclared(hole) {
      let part = log.last { $0.seq.map { $0.lowerBound < hole.lowerBound } ?? false } ?? log.first
      findings.append(
        Finding(
          .seqHole,
          part?.path ?? "runs/\(run).json",
          hole.count == 1
            ? "\(hole.lowerBound) is missing"
            : "\(hole.lowerBound) to \(hole.upperBound) are missing"
        )
      )
    }
  }

  private func isDeclared(_ hole: ClosedRange<UInt64>) -> Bool {
    var ranges = SeqRanges()
    for range in declared where range.overlaps(hole) { ranges.insert(range.clamped(to: hole)) }
    return ranges.ranges == [hole]
  }

  private mutating func checkEnd(of numbers: SeqRanges) {
    guard let record, let last = record.lastSeq, last > numbers.ranges.last?.upperBound ?? 0 else {
      return
    }
    let found = numbers.ranges.last?.upperBound ?? 0
    guard found < last, !isDeclared(found + 1...last) else { return }
    findings.append(
      Finding(.missingEnd, record.path, "the run ended with \(last), the log with \(found)")
    )
  }

  private mutating func checkOrigin(of part: PartCheck, in numbers: SeqRanges) {
    var strangers: [UInt64] = []
    var count = 0
    for range in part.numbers.ranges {
      for seq in range where !numbers.contains(seq) && !isDeclared(seq...seq) {
        count += 1
        if strangers.count < 5 { strangers.append(seq) }
      }
    }
    guard count > 0 else { return }
    let list = strangers.map(String.init).joined(separator: ", ")
    findings.append(
      Finding(.notInLog, part.path, "\(count) lines follow from none of the log: \(list)")
    )
  }
}
