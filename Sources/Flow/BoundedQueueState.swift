// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The rules of ``BoundedQueue``: a value that knows neither locks nor tasks.
///
/// `Waiter` is whatever resumes a consumer that found the queue empty.
struct BoundedQueueState<Batch: QueueBatch, Waiter: Sendable>: Sendable {
  private enum Phase {
    case open
    case finishing
    case failing(QueueLoss)
    case ended
  }

  private let limits: QueueLimits
  private let overflow: QueueOverflow
  private var phase = Phase.open
  private var waiter: Waiter?

  // What was dropped before everything that waits; what was dropped later stands between the items.
  private var lossAtFront: QueueLoss?
  private var items: [QueueItem<Batch>] = []
  private var front = 0
  private(set) var events = 0
  private(set) var bytes = 0

  private var producerWaits = false
  private(set) var isShedding = false
  /// How much was lost under backpressure since the account was last settled.
  private var unsettled = 0

  /// When a consumer that found nothing looks once more before it waits.
  var linger = Linger()

  init(limits: QueueLimits, overflow: QueueOverflow) {
    self.limits = limits
    self.overflow = overflow
  }

  var isFull: Bool { events >= limits.events || bytes >= limits.bytes }
  private var isOver: Bool { events > limits.events || bytes > limits.bytes }
  private var hasRoom: Bool { events <= limits.events / 2 && bytes <= limits.bytes / 2 }

  // MARK: - Producer

  /// Takes a batch; the result is the consumer that is to be given it at once, if one waits.
  mutating func push(_ batch: Batch, isEssential: Bool) -> Waiter? {
    guard case .open = phase else { return nil }
    if let consumer = waiter {
      // A consumer waits only while nothing else does.
      waiter = nil
      return consumer
    }
    switch overflow {
    case .backpressure: pushUnderBackpressure(batch, isEssential: isEssential)
    case .dropOldest:
      append(batch)
      dropOldest(downTo: limits)
    case .dropNewest: pushWhatFits(batch)
    case .coalesce:
      append(batch)
      if isOver { coalesce() }
    case .fail:
      append(batch)
      if isOver, events > 1 {
        events -= batch.count
        bytes -= batch.byteCount
        items.removeLast()
        appendLoss(of: batch)
        phase = .failing(QueueLoss(count: batch.count, range: batch.numbers))
      }
    }
    return nil
  }

  /// Whether the producer should pause; if so, a later take will tell it to go on.
  ///
  /// Once it pauses it does so until there is room, not until one element has been taken: a consumer
  /// that is much too slow would otherwise never be found out.
  mutating func requestSpace() -> Bool {
    guard case .open = phase, overflow == .backpressure, !isShedding else { return false }
    if isFull { producerWaits = true }
    return producerWaits
  }

  /// The producer will not pause any longer: what does not fit is dropped until there is room again.
  mutating func shed() {
    guard case .open = phase, isFull || producerWaits else { return }
    producerWaits = false
    isShedding = true
  }

  /// How much was lost under backpressure since this was last asked.
  mutating func settle() -> Int {
    defer { unsettled = 0 }
    return unsettled
  }

  mutating func finish() -> Waiter? {
    guard case .open = phase else { return nil }
    phase = .finishing
    defer { waiter = nil }
    return waiter
  }

  // MARK: - Consumer

  /// The next item, and whether the producer is to be told that there is room; nil: wait for it.
  mutating func take() -> (item: QueueItem<Batch>, signalsSpace: Bool)? {
    if let lossAtFront {
      self.lossAtFront = nil
      return (.lost(lossAtFront), false)
    }
    guard front < items.count else {
      switch phase {
      case .open: return nil
      case .finishing, .ended: return (.ended, false)
      case .failing(let loss): return (.failed(loss), false)
      }
    }
    let item = removeFirst()
    guard hasRoom else { return (item, false) }
    isShedding = false
    defer { producerWaits = false }
    return (item, producerWaits)
  }

  /// The next item, as above; nil: the waiter is kept, and `push` or `finish` will return it.
  mutating func take(
    orWait newWaiter: Waiter
  ) -> (item: QueueItem<Batch>, signalsSpace: Bool)? {
    if let taken = take() { return taken }
    // A second consumer: a queue has one, so there is nothing for this one.
    guard waiter == nil else { return (.ended, false) }
    waiter = newWaiter
    return nil
  }

  /// The consumer is gone: nothing is kept for it.
  mutating func cancel() -> (waiter: Waiter?, signalsSpace: Bool) {
    defer {
      phase = .ended
      waiter = nil
      items = []
      front = 0
      events = 0
      bytes = 0
      lossAtFront = nil
      producerWaits = false
      isShedding = false
    }
    return (waiter, producerWaits)
  }

  // MARK: - Items

  private mutating func append(_ batch: Batch) {
    items.append(.batch(batch))
    events += batch.count
    bytes += batch.byteCount
  }

  private mutating func appendLoss(of batch: Batch) {
    let loss = QueueLoss(count: batch.count, range: batch.numbers)
    if items.count > front, case .lost(let earlier) = items[items.count - 1] {
      items[items.count - 1] = .lost(loss.merging(earlier))
    } else {
      items.append(.lost(loss))
    }
  }

  private mutating func removeFirst() -> QueueItem<Batch> {
    let item = items[front]
    items[front] = .ended  // releases what the item held
    front += 1
    if front == items.count {
      items.removeAll(keepingCapacity: true)
      front = 0
    } else if front >= 64, front * 2 >= items.count {
      items.removeFirst(front)
      front = 0
    }
    if case .batch(let batch) = item {
      events -= batch.count
      bytes -= batch.byteCount
    }
    return item
  }

  // MARK: - Policies

  /// A batch may go over the bound once, because the producer only looks between batches; what is
  /// essential may double it.
  private mutating func pushUnderBackpressure(_ batch: Batch, isEssential: Bool) {
    let fits =
      isEssential
      ? events < 2 * limits.events && bytes < 2 * limits.bytes
      : !isShedding && !(producerWaits && isOver)
    if fits { return append(batch) }
    appendLoss(of: batch)
    unsettled += batch.count
  }

  private mutating func pushWhatFits(_ batch: Batch) {
    // The newest of an empty queue always fits, however large: else it could never be delivered.
    let fitting = events == 0 ? max(1, fittingCount(of: batch)) : fittingCount(of: batch)
    if fitting == batch.count { return append(batch) }
    // One part after the other may get in: each must not hold the whole that it comes from.
    if fitting > 0 { append(batch.first(fitting).compacted()) }
    appendLoss(of: batch.removingFirst(fitting))
  }

  private func fittingCount(of batch: Batch) -> Int {
    let most = min(batch.count, max(0, limits.events - events))
    return largest(upTo: most) { batch.first($0).byteCount <= limits.bytes - bytes }
  }

  private mutating func dropOldest(downTo limits: QueueLimits) {
    while events > max(1, limits.events) || (bytes > limits.bytes && events > 1) {
      let batch: Batch
      switch removeFirst() {
      case .batch(let first): batch = first
      case .lost(let loss):
        lossAtFront = loss.merging(lossAtFront)
        continue
      case .failed, .ended: return
      }
      let spare = batch.count - max(0, events + batch.count - limits.events)
      let most = events == 0 ? max(1, spare) : max(0, spare)
      var kept = largest(upTo: most) {
        batch.removingFirst(batch.count - $0).byteCount <= limits.bytes - bytes
      }
      if events == 0 { kept = max(1, kept) }
      let dropped = batch.first(batch.count - kept)
      lossAtFront = QueueLoss(count: dropped.count, range: dropped.numbers).merging(lossAtFront)
      guard kept > 0 else { continue }
      putBack(batch.removingFirst(batch.count - kept))
      return
    }
  }

  private mutating func putBack(_ batch: Batch) {
    if front > 0 {
      front -= 1
      items[front] = .batch(batch)
    } else {
      items.insert(.batch(batch), at: 0)
    }
    events += batch.count
    bytes += batch.byteCount
  }

  private mutating func coalesce() {
    items = Batch.coalescing(Array(items[front...]))
    front = 0
    events = 0
    bytes = 0
    for case .batch(let batch) in items {
      events += batch.count
      bytes += batch.byteCount
    }
    // If nearly everything still counted, this would be to do again after a few elements more.
    let most = QueueLimits(
      events: limits.events - limits.events / 4,
      bytes: limits.bytes - limits.bytes / 4
    )
    if events > most.events || bytes > most.bytes { dropOldest(downTo: most) }
  }

  /// The largest number up to a bound that satisfies a condition which all smaller ones satisfy.
  private func largest(upTo bound: Int, where condition: (Int) -> Bool) -> Int {
    if bound <= 0 || condition(bound) { return max(0, bound) }
    var good = 0
    var bad = bound
    while bad - good > 1 {
      let middle = good + (bad - good) / 2
      if condition(middle) { good = middle } else { bad = middle }
    }
    return good
  }
}
