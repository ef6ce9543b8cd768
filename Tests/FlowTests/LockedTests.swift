// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Testing

@Suite(.timeLimit(.minutes(5)))
struct LockedTests {
  private final class Counter: Sendable {
    let count = Locked(0)
  }

  @Test func `No increment is lost between tasks`() async {
    let counter = Counter()
    await withDiscardingTaskGroup { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<1_000 { counter.count.withLock { $0 += 1 } }
        }
      }
    }
    #expect(counter.count.withLock { $0 } == 8_000)
  }

  private struct Refused: Error, Equatable {}

  @Test func `A throwing body leaves the lock open`() {
    let locked = Locked([1])
    #expect(throws: Refused()) {
      try locked.withLock { value throws(Refused) in
        value.append(2)
        throw Refused()
      }
    }
    #expect(locked.withLock { $0 } == [1, 2])
  }

  private final class Witness: Sendable {
    let gone: Counter
    init(_ gone: Counter) { self.gone = gone }
    deinit { gone.count.withLock { $0 += 1 } }
  }

  @Test func `The value goes with the lock`() {
    let gone = Counter()
    do {
      let locked = Locked<Witness?>(Witness(gone))
      #expect(locked.withLock { $0 != nil })
    }
    #expect(gone.count.withLock { $0 } == 1)
  }
}
