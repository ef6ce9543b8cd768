// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct EventLoopTests {
  private actor Counter {
    private let loop: EventLoop
    private(set) var count = 0
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(_ loop: EventLoop) { self.loop = loop }

    func add(_ other: Counter?) async {
      loop.preconditionIsolated()
      count += 1
      await other?.add(nil)
    }
  }

  @Test func `Actors of a loop run on its thread, from any caller`() async throws {
    let loop = try EventLoop(name: "actors")
    defer { loop.stop() }
    let first = Counter(loop)
    let second = Counter(loop)
    await withDiscardingTaskGroup { group in
      for _ in 0..<4 {
        group.addTask { for _ in 0..<500 { await first.add(second) } }
      }
    }
    #expect(await first.count == 2_000)
    #expect(await second.count == 2_000)
    #expect(!loop.isOnLoop)
    #expect(loop.isIsolatingCurrentContext() == false)
    #expect(await loop.run { _ in loop.isOnLoop })
  }

  @Test func `A timer fires on the loop, not before its time`() async throws {
    let loop = try EventLoop(name: "timers")
    defer { loop.stop() }
    let due = loop.now + 2_000_000
    let fired = await withCheckedContinuation { continuation in
      loop.schedule(at: due) { continuation.resume(returning: (loop.now, loop.isOnLoop)) }
    }
    #expect(fired.0 >= due)
    #expect(fired.1)
    try await loop.sleep(for: .milliseconds(1))
    try await loop.sleep(until: 0)
  }

  @Test func `Cancelling a task ends its sleep at once`() async throws {
    let loop = try EventLoop(name: "cancel")
    defer { loop.stop() }
    let sleeper = Task { try await loop.sleep(for: .seconds(3_600)) }
    await loop.run { _ in }
    sleeper.cancel()
    await #expect(throws: CancellationError.self) { try await sleeper.value }

    let late = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await loop.sleep(for: .seconds(3_600))
    }
    await #expect(throws: CancellationError.self) { try await late.value }
    #expect(loop.state.withLock { $0.waits.isEmpty && $0.timers.count == 0 })
  }

  @Test func `Stopping ends sleeps, drops timers and joins the thread`() async throws {
    let loop = try EventLoop(name: "stop")
    let sleeper = Task { try await loop.sleep(for: .seconds(3_600)) }
    while loop.state.withLock({ $0.waits.isEmpty }) { await Task.yield() }
    loop.schedule(at: .max) { Issue.record("a timer outlived its loop") }
    loop.stop()
    loop.stop()
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    await #expect(throws: CancellationError.self) { try await loop.sleep(for: .seconds(1)) }
  }

  @Test func `A job that comes after the end is run all the same`() async throws {
    let loop = try EventLoop(name: "late")
    let counter = Counter(loop)
    loop.stop()
    for _ in 0..<100 { await counter.add(nil) }
    #expect(await counter.count == 100)
  }

  @Test func `A loop may stop itself`() async throws {
    let loop = try EventLoop(name: "self")
    await loop.run { _ in loop.stop() }
    await #expect(throws: CancellationError.self) { try await loop.sleep(until: .max) }
  }

  @Test func `The clocks of a loop are the machine's`() throws {
    let loop = try EventLoop(name: "clocks")
    defer { loop.stop() }
    let first = loop.timestamp()
    let second = loop.timestamp()
    #expect(first.realtime > 1_700_000_000_000_000_000)
    #expect(second.monotonic >= first.monotonic)
    #expect(first.boot >= first.monotonic)
    #expect(loop.deadline(after: .seconds(Int64.max)) == .max)
  }
}
