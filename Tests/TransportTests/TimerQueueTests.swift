// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import Transport

struct TimerQueueTests {
  private func drain(_ queue: inout TimerQueue<Int>, until now: Int64) -> [Int] {
    var fired: [Int] = []
    while let action = queue.popDue(at: now) { fired.append(action) }
    return fired
  }

  @Test func `Timers fire by deadline, and in the order they were set within one`() {
    var queue = TimerQueue<Int>()
    for (action, deadline) in [30, 10, 20, 10, 30, 10].enumerated() {
      _ = queue.insert(at: Int64(deadline), action)
    }
    #expect(queue.nextDeadline() == 10)
    #expect(drain(&queue, until: 9).isEmpty)
    #expect(drain(&queue, until: 20) == [1, 3, 5, 2])
    #expect(drain(&queue, until: .max) == [0, 4])
    #expect(queue.nextDeadline() == nil)
  }

  @Test func `A removed timer does not fire`() {
    var queue = TimerQueue<Int>()
    let first = queue.insert(at: 1, 1)
    _ = queue.insert(at: 2, 2)
    queue.remove(first)
    queue.remove(first)
    #expect(queue.nextDeadline() == 2)
    #expect(drain(&queue, until: .max) == [2])
    #expect(queue.count == 0)
  }

  /// Against a sorted array, with as many removals as insertions.
  @Test func `It agrees with a sorted array`() {
    var generator = SystemRandomNumberGenerator()
    var queue = TimerQueue<Int>()
    var model: [(deadline: Int64, action: Int, id: UInt64)] = []
    for action in 0..<5_000 {
      let deadline = Int64.random(in: 0..<500, using: &generator)
      model.append((deadline, action, queue.insert(at: deadline, action)))
      if Bool.random(), let victim = model.indices.randomElement() {
        queue.remove(model.remove(at: victim).id)
      }
    }
    #expect(queue.count == model.count)
    for now in stride(from: Int64(0), through: 500, by: 50) {
      let due = model.filter { $0.deadline <= now }
        .sorted { ($0.deadline, $0.action) < ($1.deadline, $1.action) }
      model.removeAll { $0.deadline <= now }
      #expect(drain(&queue, until: now) == due.map(\.action))
    }
    #expect(queue.count == 0)
  }
}
