// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Transport

@testable import IBKR

/// What a subscriber was given and told, in order.
enum Taken: Equatable, CustomStringConvertible {
  case event(UInt64)
  case dropped(Int, ClosedRange<UInt64>)
  case failed

  var description: String {
    switch self {
    case .event(let seq): "\(seq)"
    case .dropped(let count, let range): "-\(count) \(range)"
    case .failed: "failed"
    }
  }
}

/// A subscriber on a loop of virtual time that stalls now and then.
actor MoodySubscriber {
  private nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private var randomness: Jitter
  /// How long it may sleep after an event, in nanoseconds; 0 for a fast one.
  private let longestStall: Int64
  private(set) var log: [Taken] = []

  init(on loop: EventLoop, seed: UInt64, longestStall: Int64) {
    self.loop = loop
    randomness = Jitter(seed: seed)
    self.longestStall = longestStall
  }

  /// Takes events one by one until there are no more, or until it has had so many.
  func take(_ events: EventStream, atMost limit: Int = .max) async {
    do throws(IbkrError) {
      for try await event in events {
        note(event)
        if log.count >= limit { break }
        await stall()
      }
    } catch {
      log.append(.failed)
    }
  }

  /// The same through `.batches`.
  func takeBatches(_ events: EventStream) async {
    do throws(IbkrError) {
      for try await batch in events.batches {
        for event in batch { note(event) }
        await stall()
      }
    } catch {
      log.append(.failed)
    }
  }

  private func note(_ event: Event) {
    if case .dropped(let count, let range) = event {
      log.append(.dropped(count, range))
    } else if let seq = event.seq {
      log.append(.event(seq))
    }
  }

  private func stall() async {
    guard longestStall > 0, randomness.next() % 8 == 0 else { return }
    let pause = Int64(randomness.next() % UInt64(longestStall))
    try? await loop.sleep(until: loop.now + pause)
  }
}

/// Publishes as the I/O thread does, on a loop of virtual time: it numbers, publishes, and waits for
/// subscribers with the policy `backpressure`, though not for ever.
actor RandomPublisher {
  nonisolated let broadcast: Broadcast
  private nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let space: SpaceSignal
  private var builder = EventBatchBuilder()
  private var randomness: Jitter
  /// The number, and the instrument or nil, of everything that was published.
  private(set) var published: [(seq: UInt64, conid: Int?)] = []
  private(set) var settled = 0

  static let patience: Int64 = 50_000_000

  init(on loop: EventLoop, seed: UInt64) {
    self.loop = loop
    let space = SpaceSignal()
    self.space = space
    broadcast = Broadcast { space.raise() }
    randomness = Jitter(seed: seed)
  }

  /// Publishes so many batches at random times.
  func publish(batches: Int) async {
    for _ in 0..<batches {
      for _ in 0...(randomness.next() % 12) { add() }
      if let batch = builder.take() { broadcast.publish(batch) }
      if broadcast.isFull { await waitForSpace() }
      try? await loop.sleep(until: loop.now + Int64(randomness.next() % 3_000_000))
    }
    settled += broadcast.settleLosses()
    broadcast.finish()
  }

  private func add() {
    let now = loop.now
    guard randomness.next() % 16 != 0 else {
      let seq = builder.append(.connection(.ready), realtime: now, monotonic: now)
      return published.append((seq, nil))
    }
    let conid = Int(randomness.next() % 5) + 1
    let text = Array(repeating: UInt8(ascii: "x"), count: Int(randomness.next() % 200))
    published.append((builder.nextSeq, conid))
    text.withUnsafeBytes { bytes in
      builder.append(bytes, direction: .inbound, kind: .binary, realtime: now, monotonic: now) {
        $0.topic = .marketData
        $0.conid = conid
        $0.subscription = UInt32(conid)
      }
    }
  }

  private func waitForSpace() async {
    let deadline = loop.now + Self.patience
    space.reset()
    while broadcast.isFull, loop.now < deadline {
      await space.wait(on: loop, until: deadline)
      space.reset()
    }
    broadcast.shed()
  }
}
