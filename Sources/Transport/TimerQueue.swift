// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A binary heap of deadlines, each with what to do then.
///
/// Among equal deadlines the one set first comes first, so that a run on virtual time is the same
/// every time. Removal is lazy: the heap keeps the key until it comes up or until dead keys are
/// the majority, so that cancelling costs a dictionary look-up and nothing piles up.
struct TimerQueue<Action: Sendable>: Sendable {
  private struct Key: Sendable {
    let deadline: Int64
    let id: UInt64

    static func < (left: Key, right: Key) -> Bool {
      left.deadline == right.deadline ? left.id < right.id : left.deadline < right.deadline
    }
  }

  private var heap: [Key] = []
  private var actions: [UInt64: Action] = [:]
  private var lastID: UInt64 = 0

  /// How many timers are set.
  var count: Int { actions.count }

  /// Sets a timer.
  mutating func insert(at deadline: Int64, _ action: Action) -> UInt64 {
    lastID += 1
    actions[lastID] = action
    heap.append(Key(deadline: deadline, id: lastID))
    siftUp(heap.count - 1)
    return lastID
  }

  /// Takes a timer out before its time; nothing happens if it has fired.
  mutating func remove(_ id: UInt64) {
    actions[id] = nil
    guard heap.count > 2 * actions.count + 64 else { return }
    heap.removeAll { actions[$0.id] == nil }
    // A sorted array is a heap.
    heap.sort(by: <)
  }

  /// The earliest deadline, if a timer is set.
  mutating func nextDeadline() -> Int64? {
    while let first = heap.first {
      if actions[first.id] != nil { return first.deadline }
      removeFirst()
    }
    return nil
  }

  /// Takes out the earliest timer whose deadline has come.
  mutating func popDue(at now: Int64) -> Action? {
    guard let deadline = nextDeadline(), deadline <= now, let first = heap.first else { return nil }
    removeFirst()
    return actions.removeValue(forKey: first.id)
  }

  /// Takes out all timers.
  mutating func removeAll() {
    heap.removeAll()
    actions.removeAll()
  }

  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    siftDown(0)
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child] < heap[parent] else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      let left = 2 * parent + 1
      let right = left + 1
      if left < heap.count, heap[left] < heap[least] { least = left }
      if right < heap.count, heap[right] < heap[least] { least = right }
      guard least != parent else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
