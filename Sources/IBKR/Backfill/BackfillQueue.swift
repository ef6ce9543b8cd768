// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Says when to ask for which bars, and what the answers are worth.
///
/// One question at a time, two seconds apart at least: whoever fills the past must not be in the way
/// of the present. A value fed with times and answers; nothing here waits or sends.
struct BackfillQueue: Sendable {
  /// A question, and whose it is.
  struct Question: Sendable, Hashable {
    let number: Int
    let page: BackfillPage
  }

  /// What follows from an answer.
  struct Outcome: Sendable, Hashable {
    /// What of the answer counts, and for what; nil for nothing.
    var kept: Backfill?
    /// What there is to tell.
    var progress: BackfillProgress?
  }

  /// What went wrong with a question.
  struct Failure: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
      /// There is no session to ask in.
      case session
      /// Nothing may be asked for so many nanoseconds; nil if nobody knows for how long.
      case limited(Int64?)
      /// The server says that it has nothing.
      case noData
      /// Anything else.
      case other
    }

    let kind: Kind
    let words: String
  }

  private struct Item: Sendable {
    let number: Int
    let backfill: Backfill
    let step: BackfillPage.Step
    var rest: Range<Int64>
    var source: BarSource?
    var dueAt: Int64
    /// How often this page has been asked for in vain, and how often its end was not there yet.
    var failures = 0
    var waits = 0
    var bars = 0
    var expected = 0
    var toldReason = ""

    func progress(
      _ state: BackfillProgress.State,
      _ reason: String = "",
      rest: Range<Int64>? = nil
    ) -> BackfillProgress {
      BackfillProgress(backfill, state, reason: reason, bars: bars, rest: rest)
    }
  }

  /// How many may wait; an outage of a hundred instruments is a hundred.
  static let limit = 10_000
  /// The shortest time between two questions: half of what the server allows (protocol reference 3.8).
  static let spacing: Int64 = 2_000_000_000
  /// How long after a bar's end it is asked for.
  static let settling: Int64 = 10_000_000_000
  /// The pauses after a question that failed (protocol reference 7.4, number 50).
  private static let pauses: [Int64] = [1_000_000_000, 3_000_000_000, 10_000_000_000]
  private static let sessionPause: Int64 = 30_000_000_000
  private static let limitedPause: Int64 = 60_000_000_000
  private static let mostWaits = 3

  private var items: [Item] = []
  /// What the items are for: thousands may be added at once.
  private var known: Set<Backfill> = []
  private var asked: Question?
  private var isOpen = false
  private var notBefore = Int64.min
  private var lastNumber = 0

  /// How many wait, with the one that is being asked for.
  var count: Int { items.count }

  // MARK: - What happens

  /// Something is to be filled.
  ///
  /// - Parameters:
  ///   - backfill: What.
  ///   - now: The monotonic clock.
  ///   - realtime: The time, in nanoseconds since 1970.
  /// - Returns: What there is to tell, if it cannot be.
  mutating func add(_ backfill: Backfill, at now: Int64, realtime: Int64) -> BackfillProgress? {
    guard !known.contains(backfill) else { return nil }
    guard items.count < Self.limit else {
      let words = "\(Self.limit) others wait: fill it by hand later"
      return BackfillProgress(backfill, .pending, reason: words, rest: backfill.range)
    }
    let step = BackfillPage.Step(for: backfill.range)
    lastNumber += 1
    known.insert(backfill)
    // The last bar is there when its minute is over.
    let wait = step.aligned(backfill.range).upperBound + Self.settling - realtime
    items.append(
      Item(
        number: lastNumber,
        backfill: backfill,
        step: step,
        rest: backfill.range,
        source: backfill.source,
        dueAt: wait > 0 ? now + wait : now
      )
    )
    return nil
  }

  /// The session can be used.
  ///
  /// - Parameters:
  ///   - now: The monotonic clock.
  ///   - settles: Whether the first seconds belong to others, who are live.
  mutating func opened(at now: Int64, settles: Bool = true) {
    guard !isOpen else { return }
    isOpen = true
    if settles { notBefore = max(notBefore, now + Self.settling) }
  }

  /// The session cannot be used.
  mutating func lost() {
    isOpen = false
    asked = nil
  }

  // MARK: - What to ask

  /// When ``next(at:)`` has something to ask; nil for never, as things are.
  var deadline: Int64? {
    guard isOpen, asked == nil, let due = items.map(\.dueAt).min() else { return nil }
    return max(due, notBefore)
  }

  /// What is to be asked now; the next question waits for its answer.
  ///
  /// - Parameter now: The monotonic clock.
  /// - Returns: The question, nil if it is not time for one.
  mutating func next(at now: Int64) -> Question? {
    guard isOpen, asked == nil, now >= notBefore,
      let item = items.first(where: { $0.dueAt <= now })
    else { return nil }
    let page = BackfillPage(item.backfill, item.rest, item.step, source: item.source)
    asked = Question(number: item.number, page: page)
    notBefore = now + Self.spacing
    return asked
  }

  /// The answer to a question.
  ///
  /// - Parameters:
  ///   - question: The question.
  ///   - answer: What came.
  ///   - now: The monotonic clock.
  ///   - realtime: The time, in nanoseconds since 1970.
  /// - Returns: What follows.
  mutating func answered(
    _ question: Question,
    _ answer: BackfillAnswer,
    at now: Int64,
    realtime: Int64
  ) -> Outcome {
    guard asked == question, let index = index(of: question) else { return Outcome() }
    asked = nil
    let page = question.page
    let mayWait = items[index].waits < Self.mostWaits
    switch answer.verdict(on: page, at: realtime, mayWait: mayWait) {
    case .empty:
      return fail(index, page, Failure(kind: .noData, words: ""), at: now)
    case .final(let bars):
      return Outcome(
        kept: bars > 0 ? kept(index, page.range) : nil,
        progress: finish(index, page, bars: bars, at: now)
      )
    case .early(let start, let bars, let wait, let reason):
      let kept = bars > 0 ? kept(index, page.range.lowerBound..<start) : nil
      items[index].waits += 1
      items[index].bars += bars
      items[index].expected += Int((start - page.range.lowerBound) / page.step.length)
      items[index].rest = max(start, items[index].rest.lowerBound)..<items[index].rest.upperBound
      items[index].dueAt = now + wait
      return Outcome(kept: kept, progress: waitingProgress(index, reason))
    }
  }

  /// A question was not answered, or by an error.
  ///
  /// - Parameters:
  ///   - question: The question.
  ///   - failure: What went wrong.
  ///   - now: The monotonic clock.
  /// - Returns: What there is to tell.
  mutating func failed(
    _ question: Question,
    _ failure: Failure,
    at now: Int64
  ) -> BackfillProgress? {
    guard asked == question, let index = index(of: question) else { return nil }
    asked = nil
    return fail(index, question.page, failure, at: now).progress
  }

  // MARK: - What follows

  private func index(of question: Question) -> Int? {
    items.firstIndex { $0.number == question.number }
  }

  private mutating func remove(_ index: Int) -> Item {
    let item = items.remove(at: index)
    known.remove(item.backfill)
    return item
  }

  private func kept(_ index: Int, _ range: Range<Int64>) -> Backfill {
    items[index].backfill.with(range, source: items[index].source)
  }

  private mutating func waitingProgress(_ index: Int, _ reason: String) -> BackfillProgress? {
    // The same is said once.
    guard items[index].toldReason != reason else { return nil }
    items[index].toldReason = reason
    return items[index].progress(.pending, reason, rest: items[index].rest)
  }

  private mutating func fail(
    _ index: Int,
    _ page: BackfillPage,
    _ failure: Failure,
    at now: Int64
  ) -> Outcome {
    switch failure.kind {
    case .limited(let pause):
      // Nobody is asked anything, so this is no failure of this one.
      notBefore = max(notBefore, now + max(pause ?? Self.limitedPause, Self.spacing))
      return Outcome(progress: waitingProgress(index, failure.words))
    case .session:
      items[index].failures += 1
      notBefore = max(notBefore, now + Self.sessionPause)
    case .noData, .other:
      items[index].failures += 1
    }
    let failures = items[index].failures
    guard failures > Self.pauses.count else {
      items[index].dueAt = now + Self.pauses[failures - 1]
      return Outcome()
    }
    guard failure.kind == .noData else {
      // Others wait; this one is asked for by hand, or at the next start.
      let item = remove(index)
      let state: BackfillProgress.State = item.bars > 0 ? .partial : .unavailable
      return Outcome(progress: item.progress(state, failure.words, rest: item.rest))
    }
    if items[index].source == nil, items[index].bars == 0 {
      // Pairs of currencies are not traded in one place, and of others nobody may have traded.
      items[index].source = .midpoint
      items[index].failures = 0
      items[index].dueAt = now + Self.pauses[0]
      return Outcome()
    }
    return Outcome(progress: finish(index, page, bars: 0, at: now))
  }

  /// A page has its final answer.
  private mutating func finish(
    _ index: Int,
    _ page: BackfillPage,
    bars: Int,
    at now: Int64
  ) -> BackfillProgress? {
    items[index].bars += bars
    items[index].expected += page.barCount
    items[index].failures = 0
    items[index].waits = 0
    items[index].dueAt = now
    if page.range.upperBound < items[index].rest.upperBound {
      items[index].rest = page.range.upperBound..<items[index].rest.upperBound
      return nil
    }
    let item = remove(index)
    if item.bars == 0 { return item.progress(.unavailable, "the server has no bars of this time") }
    let unit = item.step == .minute ? "minutes" : "hours"
    if item.bars < item.expected {
      return item.progress(
        .partial,
        "no bars for \(item.expected - item.bars) of \(item.expected) \(unit): nothing was traded "
          + "then, or the server does not keep it"
      )
    }
    let isMidpoint = item.source == .midpoint && item.backfill.source == nil
    return item.progress(.done, isMidpoint ? "of the midpoint: there are no bars of trades" : "")
  }
}
