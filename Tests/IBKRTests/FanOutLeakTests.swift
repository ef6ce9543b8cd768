// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

/// Whoever leaves, in whatever way, leaves nothing behind: no subscriber, no queue, no event.
@Suite(.timeLimit(.minutes(5))) struct FanOutLeakTests {
  enum Departure: CaseIterable, Sendable {
    case neverIterated, loopLeft, iteratorGone, cancelledWaiting, cancelledWorking, ended, failed
    case batchesLeft, asyncStreamLeft, asyncStreamNeverIterated
  }

  private struct Publisher: ~Copyable {
    var builder = EventBatchBuilder()
    let broadcast = Broadcast()

    /// Publishes one batch.
    ///
    /// - Returns: Whether anybody holds its events.
    mutating func send(_ count: Int = 4) -> () -> Bool {
      for _ in 0..<count { builder.append(.connection(.ready), realtime: 1, monotonic: 1) }
      guard let batch = builder.take() else { return { false } }
      broadcast.publish(batch)
      weak let storage = batch.storage
      return { storage != nil }
    }
  }

  @Test(arguments: Departure.allCases)
  func nothingIsLeft(after departure: Departure) async throws {
    var publisher = Publisher()
    let policy = OverflowPolicy(departure == .failed ? .fail : .backpressure, maximumEvents: 10)
    // The sequence lives on; what it stands for must not.
    let stream = publisher.broadcast.subscribe(matching: .all, buffering: policy)
    var isHeld = [publisher.send(), publisher.send()]
    switch departure {
    case .neverIterated:
      _ = publisher.broadcast.subscribe(matching: .all, buffering: policy)
      for try await _ in stream { break }
    case .loopLeft:
      for try await _ in stream { break }
    case .iteratorGone:
      var iterator: EventStream.Iterator? = stream.makeAsyncIterator()
      _ = try await iterator?.next()
      #expect(isHeld[0]())
      iterator = nil
    case .cancelledWaiting:
      let task = Task { for try await _ in stream {} }
      while publisher.broadcast.waiting > 0 { await Task.yield() }
      task.cancel()
      try await task.value
    case .cancelledWorking:
      let task = Task {
        var count = 0
        for try await _ in stream {
          withUnsafeCurrentTask { $0?.cancel() }
          count += 1
        }
        return count
      }
      #expect(try await task.value == 8)
    case .ended:
      publisher.broadcast.finish()
      for try await _ in stream {}
    case .failed:
      isHeld.append(publisher.send())
      await #expect(throws: IbkrError.self) { for try await _ in stream {} }
    case .batchesLeft:
      for try await _ in stream.batches { break }
    case .asyncStreamLeft:
      for await _ in stream.asyncStream { break }
    case .asyncStreamNeverIterated:
      _ = stream.asyncStream
    }
    #expect(publisher.broadcast.subscriberCount == 0)
    #expect(!publisher.broadcast.isFull)
    let held = isHeld.map { $0() }
    #expect(held.allSatisfy { !$0 })
    // And it is over for good.
    for try await _ in stream { Issue.record("an event after the end") }
  }

  @Test func aBroadcastIsNotHeldByItsSubscribers() async throws {
    var broadcast: Broadcast? = Broadcast()
    weak let held = broadcast
    let stream = try #require(broadcast?.subscribe(matching: .all, buffering: .dropOldest()))
    broadcast?.finish()
    broadcast = nil
    #expect(held == nil)
    for try await _ in stream {}
  }

  @Test func partsOfBatchesDoNotHoldTheWhole() async throws {
    var publisher = Publisher()
    let stream = publisher.broadcast.subscribe(matching: .all, buffering: .dropNewest(10))
    var whole: [() -> Bool] = []
    for _ in 0..<4 { whole.append(publisher.send(100)) }
    publisher.broadcast.finish()
    let held = whole.map { $0() }
    #expect(held == [false, false, false, false])
    var seen: [String] = []
    for try await event in stream {
      if case .dropped(let count, let range) = event {
        seen.append("-\(count) \(range)")
      } else {
        seen.append("\(event.seq ?? 0)")
      }
    }
    #expect(seen == (1...10).map(String.init) + ["-390 11...400"])
  }
}
