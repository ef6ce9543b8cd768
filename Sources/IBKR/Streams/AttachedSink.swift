// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// A sink that receives a stream's events, and how it is getting on.
public final class AttachedSink: Sendable {
  private enum Outcome {
    case running([CheckedContinuation<(any Error)?, Never>])
    case ended((any Error)?)
  }

  private let sink: any EventSink
  private let events: EventStream
  private let outcome = Locked(Outcome.running([]))

  init(_ sink: any EventSink, events: EventStream) {
    self.sink = sink
    self.events = events
  }

  /// Feeds the sink until the stream ends or the sink fails, and closes it in either case.
  ///
  /// On the executor that the sink prefers; where it has none, on that of the task that calls this.
  func run() async {
    await withTaskExecutorPreference(sink.preferredExecutor) { await feed() }
  }

  private func feed() async {
    var failure: (any Error)?
    do {
      for try await batch in events.batches { try await sink.write(batch) }
      try await sink.flush()
    } catch {
      failure = error
    }
    do { try await sink.close() } catch { failure = failure ?? error }
    let ended = failure
    let waiters = outcome.withLock { outcome -> [CheckedContinuation<(any Error)?, Never>] in
      defer { outcome = .ended(ended) }
      if case .running(let waiters) = outcome { return waiters }
      return []
    }
    for waiter in waiters { waiter.resume(returning: ended) }
  }

  /// Waits until the sink has ended.
  ///
  /// - Throws: What ended it, if it did not end with the stream.
  public func finished() async throws {
    let failure = await withCheckedContinuation { continuation in
      let known: (any Error)?? = outcome.withLock { outcome in
        switch outcome {
        case .ended(let failure): return .some(failure)
        case .running(let waiters):
          outcome = .running(waiters + [continuation])
          return nil
        }
      }
      if let known { continuation.resume(returning: known) }
    }
    if let failure { throw failure }
  }
}
