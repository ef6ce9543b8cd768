// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct VirtualTimeTests {
  private static let start = Timestamp(
    realtime: 1_795_000_000_000_000_000,
    monotonic: 1_000,
    boot: 2_000
  )

  private final class Log: Sendable {
    private let lines = Locked<[String]>([])
    func append(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock(\.self) }
  }

  @Test func `A day of heartbeats passes in a moment and lasts a day`() async throws {
    let loop = try EventLoop(virtual: Self.start)
    defer { loop.stop() }
    let beats = try await loop.run { _ in
      var beats = 0
      while loop.now < Self.start.monotonic + 86_400_000_000_000 {
        try await loop.sleep(for: .seconds(10))
        beats += 1
      }
      return beats
    }
    #expect(beats == 8_640)
    #expect(loop.timestamp() == Self.start.advanced(by: 86_400_000_000_000))
  }

  @Test func `Tasks on the loop interleave the same way every time`() async throws {
    func scenario() async throws -> [String] {
      let loop = try EventLoop(virtual: Self.start)
      defer { loop.stop() }
      let log = Log()
      try await loop.run { actor in
        try await withThrowingDiscardingTaskGroup { group in
          for (name, period) in [("a", 3), ("b", 2), ("c", 6)] {
            group.addTask {
              try await loop.run { _ in
                for _ in 0..<(12 / period) {
                  try await loop.sleep(for: .seconds(period))
                  log.append("\(name)\((loop.now - Self.start.monotonic) / 1_000_000_000)")
                }
              }
            }
          }
        }
      }
      return log.all
    }
    let first = try await scenario()
    for _ in 0..<20 { #expect(try await scenario() == first) }
    #expect(first.map { Int($0.dropFirst()) ?? -1 } == [2, 3, 4, 6, 6, 6, 8, 9, 10, 12, 12, 12])
  }

  @Test func `On demand, time moves only as far as asked, through every timer on the way`()
    async throws
  {
    let loop = try EventLoop(virtual: Self.start, advance: .onDemand)
    defer { loop.stop() }
    let log = Log()
    for second in [1, 2, 5] {
      loop.schedule(at: loop.deadline(after: .seconds(second))) { log.append("\(second)") }
    }
    await loop.advance(by: .zero)
    #expect(log.all.isEmpty)
    await loop.advance(by: .seconds(2))
    #expect(log.all == ["1", "2"])
    #expect(loop.now == Self.start.monotonic + 2_000_000_000)
    await loop.advance(by: .seconds(10))
    #expect(log.all == ["1", "2", "5"])
    #expect(loop.now == Self.start.monotonic + 12_000_000_000)
  }

  @Test func `Time stands still while work is done elsewhere`() async throws {
    let loop = try EventLoop(virtual: Self.start)
    defer { loop.stop() }
    let log = Log()
    try await loop.run { _ in
      await loop.holdingTime {
        loop.schedule(at: loop.deadline(after: .seconds(1))) { log.append("timer") }
        await Self.yieldElsewhere()
        log.append("work")
      }
      try await loop.sleep(for: .seconds(2))
    }
    #expect(log.all == ["work", "timer"])
  }

  @concurrent private static func yieldElsewhere() async {
    for _ in 0..<1_000 { await Task.yield() }
  }

  @Test func `Suspend and a set clock can be played`() async throws {
    let loop = try EventLoop(virtual: Self.start, advance: .onDemand)
    defer { loop.stop() }
    loop.shiftClocks(realtime: 70, boot: 50)
    #expect(loop.timestamp().realtime == Self.start.realtime + 70)
    #expect(loop.timestamp().suspended(since: Self.start) == 50)
  }

  @Test func `Stopping ends a caller who advances time`() async throws {
    let loop = try EventLoop(virtual: Self.start, advance: .onDemand)
    await loop.advance(by: .seconds(1))
    loop.stop()
    await loop.advance(by: .seconds(1))
    #expect(loop.now == Self.start.monotonic + 1_000_000_000)
  }

  @Test func `A loop on virtual time takes no descriptors`() throws {
    let loop = try EventLoop(virtual: Self.start)
    defer { loop.stop() }
    #expect { try loop.open(descriptor: 0) } throws: {
      ($0 as? TransportError)?.code == .notSupported
    }
  }
}
