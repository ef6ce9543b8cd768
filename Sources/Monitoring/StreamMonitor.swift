// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
public import IBKR
public import Transport

/// Watches a stream, for those who want to know whether it is well.
///
/// Attach it beside the other sinks, before the stream runs; ask for ``vitals`` from anywhere. It
/// never delays anybody: events that it is too slow for are counted in ``Vitals/missed``.
public final class StreamMonitor: EventSink {
  /// What is not counted in time is not waited for.
  public let overflow: OverflowPolicy

  private let loop: EventLoop
  private let state: Locked<Vitals>
  private let names = Locked<[Int: String]>([:])

  /// Creates a monitor.
  ///
  /// - Parameters:
  ///   - loop: Whose clocks are read.
  ///   - overflow: What happens to what is not counted in time.
  public init(loop: EventLoop, overflow: OverflowPolicy = .dropOldest(65_536)) {
    self.loop = loop
    self.overflow = overflow
    state = Locked(Vitals(at: loop.timestamp()))
  }

  /// How the stream is getting on.
  public var vitals: Vitals { state.withLock { $0 } }

  /// What the instruments are called, by conid.
  public var symbols: [Int: String] { names.withLock { $0 } }

  /// The time, by the clocks that the vitals are measured with.
  public var now: Timestamp { loop.timestamp() }

  /// Learns what instruments are called.
  ///
  /// - Parameter instruments: What the look-up found.
  public func learn(_ instruments: [Instrument]) {
    names.withLock { names in
      for instrument in instruments { names[instrument.conid] = instrument.symbol }
    }
  }

  /// Counts the next events.
  ///
  /// - Parameter batch: The events.
  public func write(_ batch: EventBatch) async {
    let now = loop.timestamp()
    state.withLock { $0.note(batch, at: now) }
  }
}
