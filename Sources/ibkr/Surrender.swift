// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Transport

/// Ends a stream that would go on trying, where somebody has asked for that: after an outage of
/// `--max-outage`, or at once with `--exit-on-takeover`.
final class Surrender: EventSink {
  /// What is known of the connection and the session.
  struct Watch: Sendable {
    private(set) var hasStreamed = false
    private var isConnected = false
    private var hasSession = true
    /// Whether another login holds the session.
    private(set) var isTakenOver = false

    /// Whether nothing can come; before the first greeting another rule ends the command.
    var isOutage: Bool { hasStreamed && !(isConnected && hasSession) }

    /// Takes notice of an event.
    mutating func note(_ event: OwnEvent) {
      switch event {
      case .connection(.ready): (isConnected, hasStreamed) = (true, true)
      case .connection(.lost): isConnected = false
      case .session(let state):
        guard let phase = state.phase else { return }
        hasSession = ![.loggedOut, .competing, .maintenance].contains(phase)
        isTakenOver = phase == .competing
      case .connection, .subscription, .gap, .dropped, .backfill: break
      }
    }
  }

  private struct State {
    var watch = Watch()
    var timer: TimerToken?
    var failure: StreamGivenUp?
  }

  private let limits: LimitOptions
  private let loop: EventLoop
  private let stop: @Sendable () -> Void
  private let state = Locked(State())

  /// Begins to watch.
  ///
  /// - Parameters:
  ///   - limits: What was asked for.
  ///   - loop: Has the clock.
  ///   - stop: Ends the stream in good order.
  init(_ limits: LimitOptions, on loop: EventLoop, stop: @escaping @Sendable () -> Void) {
    self.limits = limits
    self.loop = loop
    self.stop = stop
  }

  /// Whoever is late sees the newest states all the same.
  var overflow: OverflowPolicy { .dropOldest(4_096) }

  /// Why the stream was ended, nil if it was not.
  var failure: StreamGivenUp? { state.withLock { $0.failure } }

  func write(_ batch: EventBatch) async {
    batch.forEachRecord { record, _, _ in
      if record.sort != .message, let event = batch.detail(of: record) { note(event) }
    }
  }

  private func note(_ event: OwnEvent) {
    let isTakenOver = state.withLock { state in
      state.watch.note(event)
      if let limit = limits.maxOutage?.duration, state.watch.isOutage, state.timer == nil {
        state.timer = loop.schedule(at: loop.deadline(after: limit)) { [weak self] in
          self?.end(.outage(limit))
        }
      } else if !state.watch.isOutage, let timer = state.timer {
        loop.cancel(timer)
        state.timer = nil
      }
      return state.watch.isTakenOver
    }
    if limits.exitOnTakeover, isTakenOver { end(.takeover) }
  }

  private func end(_ failure: StreamGivenUp) {
    let isFirst = state.withLock { state in
      defer { state.failure = state.failure ?? failure }
      return state.failure == nil
    }
    if isFirst { stop() }
  }
}

/// That a stream was ended in good order, because somebody has asked not to wait any longer.
enum StreamGivenUp: Error, Hashable, CustomStringConvertible {
  /// Nothing could come for so long.
  case outage(Duration)
  /// Another login of the same user name holds the session.
  case takeover

  var description: String {
    switch self {
    case .outage(let limit):
      "the server was away for longer than --max-outage \(limit.components.seconds)s; what came "
        + "before is recorded: see what is wrong with: ibkr doctor"
    case .takeover:
      "another login of the same user name has taken the session (--exit-on-takeover): log in with "
        + "another user name there, or take it back with --compete start"
    }
  }
}
