// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Testing
import Transport

@testable import IBKR

/// Random interleavings of publishing, taking, stalling and leaving, on virtual time.
@Suite(.timeLimit(.minutes(5))) struct FanOutPropertyTests {
  static let policies: [OverflowPolicy] = [
    OverflowPolicy(.backpressure, maximumEvents: 40, maximumBytes: 8_000),
    OverflowPolicy(.dropOldest, maximumEvents: 30, maximumBytes: 6_000),
    OverflowPolicy(.dropNewest, maximumEvents: 30, maximumBytes: 6_000),
    OverflowPolicy(.latestPerInstrument, maximumEvents: 24, maximumBytes: 8_000),
    OverflowPolicy(.fail, maximumEvents: 200, maximumBytes: 80_000),
  ]

  /// Whether a log is what a subscriber to `reference` may have got: every event in its place, every
  /// loss in the place and with the numbers of what was lost, and nothing missing before the end.
  private func misfit(_ log: [Taken], to reference: [UInt64], toTheEnd: Bool) -> String? {
    var rest = reference[...]
    for taken in log {
      switch taken {
      case .event(let seq):
        guard rest.popFirst() == seq else { return "event \(seq)" }
      case .dropped(let count, let range):
        let lost = rest.prefix(count)
        guard lost.count == count, lost.first == range.lowerBound, lost.last == range.upperBound
        else { return "loss of \(count) in \(range), where \(rest.prefix(3)) come next" }
        rest = rest.dropFirst(count)
      case .failed: return taken == log.last ? nil : "something after the failure"
      }
    }
    return toTheEnd && !rest.isEmpty ? "\(rest.count) missing at the end" : nil
  }

  @Test(arguments: policies, UInt64(0)..<24)
  func everyLedgerIsExact(_ policy: OverflowPolicy, seed: UInt64) async throws {
    let start = Timestamp(realtime: 0, monotonic: 1_000_000_000, boot: 1_000_000_000)
    let loop = try EventLoop(virtual: start, advance: .onDemand)
    defer { loop.stop() }
    let publisher = RandomPublisher(on: loop, seed: seed)
    let broadcast = publisher.broadcast
    func subscriber(_ number: UInt64, stall: Int64) -> MoodySubscriber {
      MoodySubscriber(on: loop, seed: seed &* 31 &+ number, longestStall: stall)
    }
    // One that is slow under the policy, one that sees some instruments only, one that leaves, one
    // that is cancelled, one that never comes, and a fast one.
    let slow = subscriber(1, stall: 200_000_000)
    let picky = subscriber(2, stall: 100_000_000)
    let leaving = subscriber(3, stall: 20_000_000)
    let cancelled = subscriber(4, stall: 20_000_000)
    let fast = subscriber(5, stall: 0)
    let some = EventFilter.marketData(conids: [2, 4]).withoutLifecycle
    let own = OverflowPolicy.dropOldest(20)
    let streams = (
      broadcast.subscribe(matching: .all, buffering: policy),
      broadcast.subscribe(matching: some, buffering: policy),
      broadcast.subscribe(matching: .all, buffering: own),
      broadcast.subscribe(matching: .all, buffering: own),
      broadcast.subscribe(matching: .all, buffering: .dropOldest())
    )
    _ = broadcast.subscribe(matching: .all, buffering: policy)
    let tasks = [
      Task(executorPreference: loop) { await slow.take(streams.0) },
      Task(executorPreference: loop) { await picky.takeBatches(streams.1) },
      Task(executorPreference: loop) { await leaving.take(streams.2, atMost: Int(seed) * 7 + 1) },
      Task(executorPreference: loop) { await cancelled.take(streams.3) },
      Task(executorPreference: loop) { await fast.take(streams.4) },
      Task(executorPreference: loop) { await publisher.publish(batches: 300) },
    ]
    await loop.advance(by: .milliseconds(Int64(seed) * 13))
    tasks[3].cancel()
    await loop.advance(by: .seconds(600))
    for task in tasks { await task.value }

    let published = await publisher.published
    let all = published.map(\.seq)
    let picked = published.filter { $0.conid == 2 || $0.conid == 4 }.map(\.seq)
    let logs = await (slow.log, picky.log, leaving.log, cancelled.log, fast.log)
    #expect(misfit(logs.0, to: all, toTheEnd: true) == nil)
    #expect(misfit(logs.1, to: picked, toTheEnd: true) == nil)
    #expect(misfit(logs.2, to: all, toTheEnd: false) == nil)
    #expect(misfit(logs.3, to: all, toTheEnd: false) == nil)
    #expect(logs.4 == all.map(Taken.event), "a fast one loses nothing, whoever is slow")
    // It was slow, and told so.
    let losses = logs.0.filter { if case .event = $0 { false } else { true } }
    #expect(!losses.isEmpty)
    if policy.action == .backpressure {
      let lost = [logs.0, logs.1].map { log in
        log.reduce(0) { if case .dropped(let count, _) = $1 { $0 + count } else { $0 } }
      }
      #expect(await publisher.settled == lost.max())
    }
    #expect(broadcast.subscriberCount == 0)
  }
}
