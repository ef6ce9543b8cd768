// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import IBKR

/// Keeps events in memory, for tests and for looking at a short stream as a whole.
public actor MemorySink: EventSink {
  /// What happens when more events come than the policy lets wait; what the sink keeps is not
  /// bounded by it.
  public nonisolated let overflow: OverflowPolicy

  private var batches: [EventBatch] = []
  private let maximumEvents: Int

  /// How many events came that were not kept.
  public private(set) var overlooked = 0

  /// Whether the sink was closed.
  public private(set) var isClosed = false

  /// Creates a sink.
  ///
  /// - Parameters:
  ///   - maximumEvents: How many events are kept; those after them are only counted.
  ///   - overflow: What happens when events come faster than they are taken.
  public init(maximumEvents: Int = 100_000, overflow: OverflowPolicy = .dropOldest()) {
    self.maximumEvents = maximumEvents
    self.overflow = overflow
  }

  /// The events so far, in their order.
  public var events: [Event] { batches.flatMap { Array($0) } }

  private var count: Int { batches.reduce(0) { $0 + $1.count } }

  /// Keeps the events.
  ///
  /// - Parameter batch: The events.
  public func write(_ batch: EventBatch) {
    let kept = batch.prefix(max(0, maximumEvents - count))
    if !kept.isEmpty { batches.append(kept) }
    overlooked += batch.count - kept.count
  }

  /// Notes that nothing more will come.
  public func close() async {
    isClosed = true
  }
}
