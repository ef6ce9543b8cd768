// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

/// When orders and executions are asked for by REST (protocol reference 4.11 and 6.6).
@Suite struct OrderSyncTests {
  private static let second: Int64 = 1_000_000_000

  /// A sync, its clock, and what it has asked and told.
  private struct World {
    var sync: OrderSync
    var now: Int64 = 100 * OrderSyncTests.second
    var heard: UInt64 = 0
    var asked: [String] = []
    var told: [String] = []
    /// The answer to each question, nil for an error.
    var answer: (OrderSync.Question) -> OrderSync.Answer?
    private let start: Int64 = 100 * OrderSyncTests.second

    init(
      interval: Int64? = 30 * OrderSyncTests.second,
      answer: @escaping (OrderSync.Question) -> OrderSync.Answer? = { _ in .full(1) }
    ) {
      var timing = OrderSync.Timing()
      timing.interval = interval
      sync = OrderSync(timing: timing)
      self.answer = answer
    }

    mutating func want(orders: Bool = true, executions: Bool = false) {
      sync.want(orders: orders, executions: executions, at: now)
    }

    mutating func open() { sync.opened(at: now) }

    mutating func lose(_ before: Int64 = 0) {
      sync.lost(since: now - before * OrderSyncTests.second)
    }

    mutating func pass(_ seconds: Int64) {
      let end = now + seconds * OrderSyncTests.second
      while let due = sync.deadline, max(due, now) <= end {
        now = max(due, now)
        guard let question = sync.next(at: now, realtime: now) else { continue }
        let time = (now - start) / OrderSyncTests.second
        switch question {
        case .orders(let isForced): asked.append("\(time) \(isForced ? "forced" : "orders")")
        case .executions(let days): asked.append("\(time) executions \(days)")
        }
        guard let found = answer(question) else {
          sync.failed(question, retryAfter: nil, at: now)
          continue
        }
        if case .tell(let kind) = sync.answered(question, found, heard: heard, at: now) {
          told.append("\(time) \(kind)")
        }
      }
      now = end
    }
  }

  @Test func nothingIsAskedWithoutAFeed() {
    var world = World()
    world.open()
    world.pass(600)
    world.lose()
    world.open()
    world.pass(600)
    #expect(world.asked.isEmpty)
  }

  @Test func ordersAreAskedForAtOnceAndThenSlowly() {
    var world = World()
    world.want()
    world.pass(10)
    #expect(world.asked.isEmpty && !world.sync.hasOpened)
    world.open()
    world.pass(100)
    #expect(world.asked == ["10 orders", "40 orders", "70 orders", "100 orders"])
    // What says the same is no event.
    #expect(world.told == ["10 poll"])
    #expect(world.sync.hasOpened)
    world.want(orders: false)
    world.pass(100)
    #expect(world.asked.count == 4 && !world.sync.hasOpened)
  }

  @Test func newsAreToldAndASilentFeedIsWokenOnce() {
    var digest: UInt64 = 1
    var world = World { _ in .full(digest) }
    world.want()
    world.open()
    world.pass(10)
    // The feed has told of it as well.
    (digest, world.heard) = (2, 5)
    world.pass(30)
    #expect(world.asked == ["0 orders", "30 orders"])
    #expect(world.told == ["0 poll", "30 poll"])
    digest = 3
    world.pass(30)
    #expect(world.asked.dropFirst(2) == ["60 orders", "65 forced", "70 orders"])
    digest = 4
    world.pass(60)
    #expect(world.asked.dropFirst(5) == ["100 orders", "130 orders"])
    #expect(world.told == ["0 poll", "30 poll", "60 poll", "100 poll"])
  }

  @Test(arguments: [
    // The server looks only after the first call.
    ([OrderSync.Answer.unready, .full(1)], ["0 orders", "5 orders"], ["5 poll"]),
    ([.unready, .nothing], ["0 orders", "5 orders"], ["5 poll"]),
    // It does not say whether it has looked.
    (
      [.silent, .silent, .silent, .silent, .silent],
      ["0 orders", "5 orders", "10 forced", "15 orders", "20 orders"], ["20 poll"]
    ),
    (
      [.unready, .unready, .unready, .full(7)],
      ["0 orders", "5 orders", "10 forced", "15 orders"], ["15 poll"]
    ),
    // Orders in an answer that says it is none.
    ([OrderSync.Answer(isEmpty: false, isSnapshot: false, digest: 1)], ["0 orders"], ["0 poll"]),
    ([.nothing], ["0 orders"], ["0 poll"]),
  ])
  func anEmptyAnswerIsNotBelievedAtOnce(
    _ answers: [OrderSync.Answer],
    _ asked: [String],
    _ told: [String]
  ) {
    var rest = answers[...]
    var world = World(interval: nil) { _ in rest.popFirst() }
    world.want()
    world.open()
    world.pass(29)
    #expect(world.asked == asked)
    #expect(world.told == told)
  }

  @Test func afterAGapBothAreAskedForWhetherThereAreNewsOrNot() {
    var world = World(interval: nil)
    world.want(executions: true)
    world.open()
    world.pass(10)
    #expect(world.asked == ["0 orders"])
    world.lose(3)
    world.pass(10)
    world.open()
    world.pass(50)
    #expect(world.asked == ["0 orders", "20 orders", "20 executions 2"])
    #expect(world.told == ["0 poll", "20 resync", "20 resync"])
    // A long one asks for more days, and the server replays seven at most.
    world.lose(3 * 86_400)
    world.open()
    world.pass(1)
    world.lose(30 * 86_400)
    world.open()
    world.pass(1)
    #expect(world.asked.filter { $0.contains("exec") }.map { $0.suffix(1) } == ["2", "5", "7"])
  }

  @Test func theFirstEmptyListOfExecutionsIsAskedForAgain() {
    var world = World(interval: nil) { question in
      if case .executions = question { .nothing } else { .full(1) }
    }
    world.want(orders: false, executions: true)
    world.open()
    world.lose()
    world.open()
    world.pass(60)
    #expect(world.asked == ["0 executions 2", "5 executions 2"])
    #expect(world.told == ["5 resync"])
  }

  @Test func eventsThatWereDroppedAreAskedFor() {
    var world = World(interval: nil)
    world.want(executions: true)
    world.open()
    world.pass(10)
    world.sync.missed(since: world.now, at: world.now)
    world.pass(10)
    #expect(world.told == ["0 poll", "10 resync", "10 resync"])
  }

  @Test func whatFailsIsAskedAgainForEverAndHoldsNothingUp() {
    var works = false
    var world = World { _ in works ? .full(1) : nil }
    world.want()
    world.open()
    world.pass(0)
    #expect(world.sync.hasOpened)
    world.lose()
    #expect(!world.sync.hasOpened)
    world.open()
    world.pass(200)
    #expect(
      world.asked.dropFirst() == [
        "0 orders", "5 orders", "15 orders", "35 orders", "75 orders", "135 orders", "195 orders",
      ]
    )
    works = true
    world.pass(60)
    // The gap has not been forgotten meanwhile.
    #expect(world.told == ["255 resync"])
  }

  @Test func anAnswerOfASessionThatIsGoneCountsNothing() {
    var sync = OrderSync()
    sync.want(orders: true, executions: false, at: 0)
    sync.opened(at: 0)
    let question = sync.next(at: 0, realtime: 0)
    #expect(question == .orders(isForced: false))
    #expect(sync.next(at: 0, realtime: 0) == nil && sync.deadline == nil)
    sync.lost(since: 0)
    #expect(sync.answered(.orders(isForced: false), .full(1), heard: 0, at: 1) == .nothing)
    #expect(!sync.hasOpened)
    sync.opened(at: 2)
    #expect(sync.next(at: 2, realtime: 2) == .orders(isForced: false))
    #expect(sync.answered(.orders(isForced: false), .full(1), heard: 0, at: 3) == .tell(.resync))
  }

  @Test func theServersLimitsAreKept() {
    var generator = Jitter(seed: 3)
    for _ in 0..<200 {
      var seed = generator.next()
      var world = World(interval: 1) { _ in
        seed = seed &* 6_364_136_223_846_793_005 &+ 1
        return [nil, .full(seed >> 60), .unready, .nothing, .silent][Int(seed >> 33) % 5]
      }
      world.sync = OrderSync(timing: OrderSync.Timing(interval: 5 * Self.second))
      world.want(executions: true)
      world.open()
      for _ in 0..<10 {
        world.pass(Int64.random(in: 5..<60, using: &generator))
        world.lose()
        world.pass(5)
        world.open()
      }
      let times = world.asked.filter { !$0.contains("exec") }.compactMap {
        Int($0.split(separator: " ")[0])
      }
      #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= 5 }, "\(times)")
    }
  }
}

extension OrderSync.Answer {
  /// Orders, told apart by a number.
  fileprivate static func full(_ digest: UInt64) -> Self {
    Self(isEmpty: false, isSnapshot: true, digest: digest)
  }

  /// No orders, after the server has looked.
  fileprivate static let nothing = Self(isEmpty: true, isSnapshot: true, digest: 90)

  /// No orders, and the server has not looked.
  fileprivate static let unready = Self(isEmpty: true, isSnapshot: false, digest: 91)

  /// No orders, and no word whether the server has looked.
  fileprivate static let silent = Self(isEmpty: true, isSnapshot: nil, digest: 92)
}
