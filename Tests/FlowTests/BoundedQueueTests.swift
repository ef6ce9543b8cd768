// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Flow

/// A batch of numbers, each of which takes ten bytes.
private struct Numbers: QueueBatch, Equatable {
  var values: ArraySlice<UInt64>

  init(_ range: ClosedRange<UInt64>) { values = ArraySlice(range) }
  init(values: ArraySlice<UInt64>) { self.values = values }

  var count: Int { values.count }
  var byteCount: Int { 10 * values.count }
  var numbers: ClosedRange<UInt64> { (values.first ?? 0)...(values.last ?? 0) }
  func first(_ count: Int) -> Numbers { Numbers(values: values.prefix(count)) }
  func removingFirst(_ count: Int) -> Numbers { Numbers(values: values.dropFirst(count)) }

  func compacted() -> Numbers { self }

  /// Of the numbers with the same last digit, the latest counts.
  static func coalescing(_ items: [QueueItem<Numbers>]) -> [QueueItem<Numbers>] {
    var seen: Set<UInt64> = []
    var kept: [QueueItem<Numbers>] = []
    func prepend(_ loss: QueueLoss) {
      if case .lost(let later)? = kept.first {
        kept[0] = .lost(loss.merging(later))
      } else {
        kept.insert(.lost(loss), at: 0)
      }
    }
    for item in items.reversed() {
      switch item {
      case .batch(let batch):
        for value in batch.values.reversed() {
          if seen.insert(value % 10).inserted {
            kept.insert(.batch(Numbers(value...value)), at: 0)
          } else {
            prepend(QueueLoss(count: 1, range: value...value))
          }
        }
      case .lost(let loss): prepend(loss)
      case .failed, .ended: break
      }
    }
    return kept
  }
}

/// What a consumer saw, flattened.
private enum Seen: Equatable {
  case numbers([UInt64])
  case lost(Int, ClosedRange<UInt64>)
  case failed(Int, ClosedRange<UInt64>)
}

@Suite(.timeLimit(.minutes(5))) struct BoundedQueueTests {
  private typealias State = BoundedQueueState<Numbers, Int>

  private struct Case: Sendable, CustomTestStringConvertible {
    var overflow: QueueOverflow
    var events = 5
    var bytes = 1_000
    var pushed: [ClosedRange<UInt64>]
    var seen: [Seen]
    var testDescription: String { "\(overflow) \(events)/\(bytes) \(pushed)" }
  }

  private func drain(_ state: inout State) -> [Seen] {
    var seen: [Seen] = []
    while let taken = state.take() {
      switch taken.item {
      case .batch(let batch): seen.append(.numbers(Array(batch.values)))
      case .lost(let loss): seen.append(.lost(loss.count, loss.range))
      case .failed(let loss):
        seen.append(.failed(loss.count, loss.range))
        return seen
      case .ended: return seen
      }
    }
    return seen
  }

  @Test(arguments: [
    Case(overflow: .dropOldest, pushed: [1...5], seen: [.numbers([1, 2, 3, 4, 5])]),
    Case(
      overflow: .dropOldest,
      pushed: [1...3, 4...6],
      seen: [.lost(1, 1...1), .numbers([2, 3]), .numbers([4, 5, 6])]
    ),
    Case(
      overflow: .dropOldest,
      pushed: [1...2, 3...4, 5...6, 7...11],
      seen: [.lost(6, 1...6), .numbers([7, 8, 9, 10, 11])]
    ),
    Case(
      overflow: .dropOldest,
      pushed: [1...20],
      seen: [.lost(15, 1...15), .numbers([16, 17, 18, 19, 20])]
    ),
    Case(
      overflow: .dropOldest,
      bytes: 25,
      pushed: [1...3, 4...4],
      seen: [.lost(2, 1...2), .numbers([3]), .numbers([4])]
    ),
    Case(overflow: .dropOldest, bytes: 1, pushed: [1...1], seen: [.numbers([1])]),
    Case(
      overflow: .dropOldest,
      bytes: 1,
      pushed: [1...3],
      seen: [.lost(2, 1...2), .numbers([3])]
    ),
    Case(
      overflow: .dropNewest,
      pushed: [1...3, 4...6, 7...9],
      seen: [.numbers([1, 2, 3]), .numbers([4, 5]), .lost(4, 6...9)]
    ),
    Case(
      overflow: .dropNewest,
      bytes: 25,
      pushed: [1...3],
      seen: [.numbers([1, 2]), .lost(1, 3...3)]
    ),
    Case(
      overflow: .dropNewest,
      bytes: 1,
      pushed: [1...2],
      seen: [.numbers([1]), .lost(1, 2...2)]
    ),
    Case(
      overflow: .fail,
      pushed: [1...3, 4...6, 7...9],
      seen: [.numbers([1, 2, 3]), .lost(3, 4...6), .failed(3, 4...6)]
    ),
    Case(
      overflow: .coalesce,
      pushed: [1...3, 11...13],
      seen: [.lost(3, 1...3), .numbers([11]), .numbers([12]), .numbers([13])]
    ),
    // In its place, which is not the front.
    Case(
      overflow: .coalesce,
      pushed: [1...1, 2...3, 12...13, 22...22],
      seen: [.numbers([1]), .lost(3, 2...12), .numbers([13]), .numbers([22])]
    ),
    // Nothing is obsolete: a quarter is freed, so that not every element costs the same again.
    Case(
      overflow: .coalesce,
      pushed: [1...7],
      seen: [.lost(3, 1...3), .numbers([4]), .numbers([5]), .numbers([6]), .numbers([7])]
    ),
    // The producer was not asked to pause between these: once over the bound, no further.
    Case(
      overflow: .backpressure,
      pushed: [1...4, 5...8],
      seen: [.numbers([1, 2, 3, 4]), .numbers([5, 6, 7, 8])]
    ),
  ])
  private func keepsWhatThePolicySays(_ example: Case) {
    var state = State(
      limits: QueueLimits(events: example.events, bytes: example.bytes),
      overflow: example.overflow
    )
    for range in example.pushed {
      let waiter = state.push(Numbers(range), isEssential: false)
      #expect(waiter == nil)
    }
    let seen = drain(&state)
    #expect(seen == example.seen)
    #expect(state.events == 0)
    #expect(state.bytes == 0)
  }

  @Test func aLossInTheMiddleKeepsItsPlace() {
    var state = State(limits: QueueLimits(events: 4, bytes: 1_000), overflow: .dropNewest)
    _ = state.push(Numbers(1...4), isEssential: false)
    _ = state.push(Numbers(5...6), isEssential: false)
    _ = state.take()
    _ = state.push(Numbers(7...8), isEssential: false)
    let seen = drain(&state)
    #expect(seen == [.lost(2, 5...6), .numbers([7, 8])])
  }

  @Test func backpressurePausesAndResumesTheProducer() {
    var state = State(limits: QueueLimits(events: 4, bytes: 1_000), overflow: .backpressure)
    let asked1 = state.requestSpace()
    #expect(!asked1)
    _ = state.push(Numbers(1...3), isEssential: false)
    let asked2 = state.requestSpace()
    #expect(!asked2)
    _ = state.push(Numbers(4...4), isEssential: false)
    let asked3 = state.requestSpace()
    #expect(asked3)
    let first = state.take()
    #expect(first?.signalsSpace == true)
    let asked4 = state.requestSpace()
    #expect(!asked4)
  }

  @Test func oneElementLessIsNotYetRoom() {
    var state = State(limits: QueueLimits(events: 4, bytes: 1_000), overflow: .backpressure)
    for number: UInt64 in 1...4 { _ = state.push(Numbers(number...number), isEssential: false) }
    let asked = state.requestSpace()
    #expect(asked)
    let first = state.take()
    #expect(first?.signalsSpace == false)
    // Asked again at the end of its patience, the producer sheds.
    let askedAgain = state.requestSpace()
    #expect(askedAgain)
    state.shed()
    #expect(state.isShedding)
    _ = state.push(Numbers(5...5), isEssential: false)
    #expect(drain(&state) == [.numbers([2]), .numbers([3]), .numbers([4]), .lost(1, 5...5)])
    let settled = state.settle()
    #expect(settled == 1)
  }

  @Test func sheddingDropsUntilThereIsRoom() {
    var state = State(limits: QueueLimits(events: 4, bytes: 1_000), overflow: .backpressure)
    _ = state.push(Numbers(1...2), isEssential: false)
    _ = state.push(Numbers(3...5), isEssential: false)
    state.shed()
    let asked5 = state.requestSpace()
    #expect(!asked5)
    _ = state.push(Numbers(6...9), isEssential: false)
    _ = state.push(Numbers(10...10), isEssential: true)
    _ = state.push(Numbers(11...11), isEssential: false)
    #expect(state.isShedding)
    var seen: [Seen] = []
    if case .batch(let batch)? = state.take()?.item { seen.append(.numbers(Array(batch.values))) }
    if case .batch(let batch)? = state.take()?.item { seen.append(.numbers(Array(batch.values))) }
    #expect(!state.isShedding)
    _ = state.push(Numbers(12...12), isEssential: false)
    seen += drain(&state)
    #expect(
      seen == [
        .numbers([1, 2]), .numbers([3, 4, 5]), .lost(4, 6...9), .numbers([10]), .lost(1, 11...11),
        .numbers([12]),
      ]
    )
  }

  /// Whatever is pushed, taken and shed in whatever order: every number is seen or told as lost, in
  /// its place, and the bounds hold.
  @Test(
    arguments: [QueueOverflow.dropOldest, .dropNewest, .coalesce, .backpressure, .fail],
    0..<50
  )
  func theLedgerAddsUp(_ overflow: QueueOverflow, seed: UInt64) {
    var generator = SplitMix(state: seed)
    var state = State(limits: QueueLimits(events: 16, bytes: 120), overflow: overflow)
    var next: UInt64 = 1
    /// The number that has to come next, or to be told as lost.
    var expected: UInt64 = 1
    var lost = 0
    var hasFailed = false
    func note(_ item: QueueItem<Numbers>) {
      switch item {
      case .batch(let batch):
        for number in batch.values {
          #expect(number == expected)
          expected += 1
        }
      case .lost(let loss):
        #expect(loss.range.lowerBound == expected)
        #expect(loss.count == loss.range.count)
        expected = loss.range.upperBound + 1
        lost += loss.count
      case .failed(let loss):
        #expect(loss.range.upperBound + 1 == expected)
        hasFailed = true
      case .ended: Issue.record("an open queue does not end")
      }
    }
    for _ in 0..<500 where !hasFailed {
      switch UInt8.random(in: 0..<20, using: &generator) {
      case 0..<10:
        let last = next + UInt64.random(in: 0..<6, using: &generator)
        if !state.requestSpace() {
          _ = state.push(Numbers(next...last), isEssential: Bool.random(using: &generator))
          if overflow != .fail || expected <= next { next = last + 1 }
        }
        if overflow != .backpressure { #expect(state.events <= 16 && state.bytes <= 120) }
        #expect(state.events <= 2 * 16 + 6)
      case 10: state.shed()
      default: if let taken = state.take() { note(taken.item) }
      }
    }
    while !hasFailed, let taken = state.take() { note(taken.item) }
    if overflow == .fail {
      #expect(hasFailed == (lost > 0))
    } else {
      #expect(expected == next)
    }
    if overflow == .backpressure {
      #expect(state.settle() == lost)
      #expect(state.settle() == 0)
    }
    #expect(state.events == 0 && state.bytes == 0)
  }

  @Test func deliversAcrossTasksWithoutLoss() async {
    let queue = BoundedQueue<Numbers>(
      limits: QueueLimits(events: 1 << 20, bytes: 1 << 30),
      overflow: .dropOldest
    )
    async let sum: UInt64 = {
      var sum: UInt64 = 0
      while case .batch(let batch) = await queue.next() { sum += batch.values.reduce(0, +) }
      return sum
    }()
    var next: UInt64 = 1
    for _ in 0..<10_000 {
      queue.push(Numbers(next...next + 2))
      next += 3
      if next % 100 < 3 { await Task.yield() }
    }
    queue.finish()
    #expect(await sum == 30_000 * 30_001 / 2)
  }

  @Test func aCancelledConsumerGetsWhatWaitsAndThenTheEnd() async {
    let queue = BoundedQueue<Numbers>(
      limits: QueueLimits(events: 10, bytes: 1_000),
      overflow: .dropOldest
    )
    queue.push(Numbers(1...3))
    let seen = await Task {
      withUnsafeCurrentTask { $0?.cancel() }
      var seen: [UInt64] = []
      while case .batch(let batch) = await queue.next() {
        seen += batch.values
        queue.push(Numbers(4...6))
      }
      return seen
    }.value
    #expect(seen == [1, 2, 3])
  }

  @Test func aCancelledConsumerEndsTheQueue() async {
    let queue = BoundedQueue<Numbers>(
      limits: QueueLimits(events: 10, bytes: 1_000),
      overflow: .backpressure
    )
    let task = Task {
      guard case .ended = await queue.next() else { return false }
      return true
    }
    task.cancel()
    #expect(await task.value)
    queue.push(Numbers(1...1))
    #expect(queue.waiting == QueueLimits(events: 0, bytes: 0))
    #expect(!queue.requestSpace())
  }

  @Test func aSecondConsumerEndsAtOnce() async {
    let queue = BoundedQueue<Numbers>(
      limits: QueueLimits(events: 10, bytes: 1_000),
      overflow: .dropOldest
    )
    // Both wait: one of them, whichever comes second, is sent away.
    async let one: Int = { if case .ended = await queue.next() { 1 } else { 0 } }()
    async let two: Int = { if case .ended = await queue.next() { 1 } else { 0 } }()
    let pusher = Task {
      while !Task.isCancelled {
        queue.push(Numbers(1...1))
        await Task.yield()
      }
    }
    let (first, second) = await (one, two)
    pusher.cancel()
    #expect(first + second <= 1)
  }
}

/// A generator of which the seed says everything.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
