// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR

/// A sink whose messages are counted when it has taken them, where it works.
///
/// A subscriber that only counts would wake a thread of its own for every message, which at the rates
/// of a quiet market cost more than the recording.
struct CountedSink<Sink: EventSink>: EventSink {
  private let sink: Sink
  private let monitor: Monitor

  /// Creates a sink that hands everything on.
  init(_ sink: Sink, by monitor: Monitor) {
    (self.sink, self.monitor) = (sink, monitor)
  }

  var overflow: OverflowPolicy { sink.overflow }

  var preferredExecutor: (any TaskExecutor)? { sink.preferredExecutor }

  func write(_ batch: EventBatch) async throws {
    try await sink.write(batch)
    // What the sink has not taken is not to be called recorded.
    monitor.count(batch)
  }

  func flush() async throws { try await sink.flush() }

  func close() async throws { try await sink.close() }
}
