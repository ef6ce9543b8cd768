// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A place that events go to: a file, a database, a message bus.
///
/// A sink runs at its own pace behind a bounded queue, by the rule that it names in ``overflow``. It
/// never delays the I/O thread, except under ``OverflowPolicy/backpressure``.
///
/// The calls come one after another: `write` as often as there are events, `flush` when everything
/// so far must be safe, `close` once at the end. An error ends the sink and is told to its owner; it
/// does not end the stream.
public protocol EventSink: Sendable {
  /// What happens when the sink is slower than the stream.
  var overflow: OverflowPolicy { get }

  /// Where the stream makes the sink's calls: for a sink with a thread of its own that thread, so that
  /// an event takes one change of thread to get there; nil for that of the task that runs the stream.
  var preferredExecutor: (any TaskExecutor)? { get }

  /// Takes the next events.
  ///
  /// - Parameter batch: At least one event.
  /// - Throws: Whatever keeps the sink from taking them.
  func write(_ batch: EventBatch) async throws

  /// Makes everything written so far safe.
  ///
  /// - Throws: Whatever keeps the sink from doing so.
  func flush() async throws

  /// Ends the sink: what was written is safe, and nothing more will come.
  ///
  /// - Throws: Whatever keeps the sink from ending well.
  func close() async throws
}

extension EventSink {
  /// The policy of a sink that names none: the oldest events that wait are dropped.
  public var overflow: OverflowPolicy { .dropOldest() }

  /// That of the task that runs the stream, for a sink that has no thread of its own.
  public var preferredExecutor: (any TaskExecutor)? { nil }

  /// Nothing to do for a sink that keeps nothing back.
  public func flush() async throws {}

  /// Nothing to do for a sink that holds nothing.
  public func close() async throws {}
}
