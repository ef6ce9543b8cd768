// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import IBKR

@Suite(.timeLimit(.minutes(5))) struct EventStreamTests {
  /// Publishes quotes and own events as the I/O thread would.
  private struct Publisher: ~Copyable {
    var builder = EventBatchBuilder()
    let broadcast = Broadcast()

    mutating func quote(_ conid: Int, subscription: UInt32 = 0, text: String = "quote") {
      Array(text.utf8).withUnsafeBytes { bytes in
        builder.append(bytes, direction: .inbound, kind: .binary, realtime: 1, monotonic: 1) {
          $0.topic = .marketData
          $0.conid = conid
          $0.subscription = subscription
        }
      }
    }

    mutating func send() {
      if let batch = builder.take() { broadcast.publish(batch) }
    }
  }

  private func numbers(_ stream: EventStream) async throws -> [String] {
    var seen: [String] = []
    for try await event in stream {
      if case .dropped(let count, let range) = event {
        seen.append("-\(count) \(range)")
      } else {
        seen.append("\(event.seq ?? 0)")
      }
    }
    return seen
  }

  @Test func everySubscriberGetsEverythingFromItsBeginning() async throws {
    var publisher = Publisher()
    let early = publisher.broadcast.subscribe(matching: .all, buffering: .dropOldest())
    publisher.quote(1)
    publisher.builder.append(.connection(.open), realtime: 1, monotonic: 1)
    publisher.send()
    let late = publisher.broadcast.subscribe(matching: .all, buffering: .dropOldest())
    publisher.quote(2)
    publisher.send()
    publisher.broadcast.finish()
    #expect(try await numbers(early) == ["1", "2", "3"])
    #expect(try await numbers(late) == ["3"])
    let after = publisher.broadcast.subscribe(matching: .all, buffering: .dropOldest())
    #expect(try await numbers(after) == [])
  }

  @Test func aLossIsToldInItsPlace() async throws {
    var publisher = Publisher()
    let oldest = publisher.broadcast.subscribe(matching: .all, buffering: .dropOldest(3))
    let newest = publisher.broadcast.subscribe(matching: .all, buffering: .dropNewest(3))
    for conid in 1...5 { publisher.quote(conid) }
    publisher.send()
    publisher.broadcast.finish()
    #expect(try await numbers(oldest) == ["-2 1...2", "3", "4", "5"])
    #expect(try await numbers(newest) == ["1", "2", "3", "-2 4...5"])
  }

  @Test func latestPerInstrumentKeepsTheNewestQuoteOfEach() async throws {
    var publisher = Publisher()
    let stream = publisher.broadcast.subscribe(
      matching: .all,
      buffering: OverflowPolicy(.latestPerInstrument, maximumEvents: 4)
    )
    publisher.builder.append(.connection(.ready), realtime: 1, monotonic: 1)
    for round in 1...3 {
      for number in 1...2 {
        publisher.quote(number, subscription: UInt32(number), text: "\(round)")
      }
    }
    publisher.send()
    publisher.broadcast.finish()
    #expect(try await numbers(stream) == ["1", "-4 2...5", "6", "7"])
  }

  @Test func failTellsWhy() async {
    var publisher = Publisher()
    let stream = publisher.broadcast.subscribe(
      matching: .all,
      buffering: OverflowPolicy(.fail, maximumEvents: 2)
    )
    publisher.quote(1)
    publisher.send()
    for _ in 1...2 { publisher.quote(1) }
    publisher.send()
    var seen: [String] = []
    do {
      for try await event in stream { seen.append("\(event.seq ?? 0)") }
      Issue.record("it should have failed")
    } catch {
      #expect(error.code == .overflow)
      #expect("\(error)".contains("from number 2 on"))
    }
    // The loss that could not be helped is told in its place before that.
    #expect(seen == ["1", "0"])
  }

  @Test func aFilterCopiesOnlyWhatPasses() async throws {
    var publisher = Publisher()
    let stream = publisher.broadcast.subscribe(
      matching: .marketData(conids: [7]),
      buffering: .dropOldest()
    )
    let bare = publisher.broadcast.subscribe(
      matching: EventFilter.marketData(conids: [9]).withoutLifecycle,
      buffering: .dropOldest()
    )
    for conid in 1...100 { publisher.quote(conid, text: "quote of \(conid)") }
    publisher.builder.append(.connection(.ready), realtime: 1, monotonic: 1)
    publisher.send()
    publisher.broadcast.finish()
    var texts: [String] = []
    for try await batch in stream.batches {
      #expect(batch.storage.records.count == 2)
      for case .message(let message) in batch { texts.append(message.text) }
    }
    #expect(texts == ["quote of 7"])
    #expect(try await numbers(bare) == ["9"])
  }

  @Test func whoLeavesHoldsNothing() async throws {
    var publisher = Publisher()
    let broadcast = publisher.broadcast

    // Never iterated, and gone.
    _ = broadcast.subscribe(matching: .all, buffering: .backpressure)
    #expect(broadcast.subscriberCount == 0)

    // The loop is left while the sequence lives on.
    let stream = broadcast.subscribe(matching: .all, buffering: .backpressure)
    publisher.quote(1)
    publisher.send()
    for try await _ in stream { break }
    #expect(broadcast.subscriberCount == 0)
    #expect(try await numbers(stream) == [])

    // The task is cancelled while it waits.
    let waiting = broadcast.subscribe(matching: .all, buffering: .backpressure)
    let task = Task { try await numbers(waiting) }
    task.cancel()
    #expect(try await task.value == [])
    #expect(broadcast.subscriberCount == 0)
  }

  @Test func asyncStreamPullsEverything() async {
    var publisher = Publisher()
    let stream = publisher.broadcast.subscribe(matching: .all, buffering: .dropOldest()).asyncStream
    for conid in 1...1_000 { publisher.quote(conid) }
    publisher.send()
    publisher.broadcast.finish()
    var count = 0
    for await _ in stream { count += 1 }
    #expect(count == 1_000)
    #expect(publisher.broadcast.subscriberCount == 0)
  }

  @Test func onlyBackpressurePausesThePublisher() async throws {
    var publisher = Publisher()
    let patient = publisher.broadcast.subscribe(
      matching: .all,
      buffering: OverflowPolicy(.backpressure, maximumEvents: 4)
    )
    let hasty = publisher.broadcast.subscribe(matching: .all, buffering: .dropOldest(1))
    for conid in 1...3 { publisher.quote(conid) }
    publisher.send()
    #expect(!publisher.broadcast.isFull)
    publisher.quote(4)
    publisher.send()
    #expect(publisher.broadcast.isFull)
    publisher.broadcast.shed()
    #expect(!publisher.broadcast.isFull)
    publisher.quote(5)
    publisher.send()
    #expect(publisher.broadcast.isShedding)
    publisher.broadcast.finish()
    #expect(try await numbers(patient) == ["1", "2", "3", "4", "-1 5...5"])
    #expect(try await numbers(hasty) == ["-4 1...4", "5"])
  }
}
