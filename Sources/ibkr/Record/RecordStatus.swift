// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Glibc
import Logging
import Monitoring
import Recording
import Transport

/// Tells a person how a recording is getting on: a line that is always there on a terminal, and a
/// line of the log each minute anywhere else.
final class RecordStatus: Sendable {
  private struct State {
    var tracker = FigureTracker()
    var disk = DiskPace()
    var stream: IbkrWsClient?
    var sessions: TradingSessions?
    var renewal: Int64?
    var isSuspended = false
  }

  /// Counts; to be attached to the stream.
  let monitor: StreamMonitor
  private let sink: NDJSONFileSink
  private let terminal: Terminal
  private let logger: Logger
  private let loop: EventLoop
  private let state = Locked(State())

  /// Between two lines of a terminal.
  private static let interval = Duration.milliseconds(250)
  /// Between two lines of the log.
  private static let minute = Duration.seconds(60)

  /// Prepares to tell; nil if nobody wants to know.
  ///
  /// - Parameters:
  ///   - sink: The recorder.
  ///   - log: How much is said.
  ///   - logger: Where the log goes.
  /// - Throws: `TransportError` if the system gives no thread.
  init?(_ sink: NDJSONFileSink, _ log: LogOptions, _ logger: Logger) throws {
    guard log.level <= .info else { return nil }
    self.sink = sink
    self.logger = logger
    terminal = Terminal(STDERR_FILENO, withoutColour: log.noColor)
    loop = try EventLoop(name: "status")
    monitor = StreamMonitor(loop: loop)
  }

  deinit { loop.stop() }

  /// Learns of the stream, whose renewals are told.
  func watch(_ stream: IbkrWsClient, _ sessions: TradingSessions?) {
    state.withLock { ($0.stream, $0.sessions) = (stream, sessions) }
  }

  /// Tells for as long as something lasts.
  ///
  /// - Parameter body: The recording.
  /// - Returns: What the body returns.
  /// - Throws: What the body throws.
  func during<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
    if terminal.hasCursor {
      JobControl.set(
        JobControl.Duties { [weak self] in
          self?.state.withLock { $0.isSuspended = true }
          StandardError.show(nil)
        } resume: { [weak self] in
          self?.state.withLock { $0.isSuspended = false }
        }
      )
    }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await self.tell() }
      let outcome: Result<Value, any Error>
      do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
      group.cancelAll()
      while let _ = try await group.next() {}
      JobControl.set(nil)
      StandardError.show(nil)
      return try outcome.get()
    }
  }

  private func tell() async {
    guard terminal.hasCursor else {
      while (try? await loop.sleep(for: Self.minute)) != nil {
        let parts = await parts()
        logger.info("\(parts.map(\.0).joined(separator: ", "))")
      }
      return
    }
    while (try? await loop.sleep(for: Self.interval)) != nil {
      var terminal = terminal
      // The last column is left free: a terminal may wrap there.
      terminal.width = max(1, (Terminal.size(of: STDERR_FILENO)?.columns ?? terminal.width) - 1)
      let line = StatusText.line(await parts(), on: terminal)
      let text = line.text(on: terminal, cells: terminal.width)
      let isShown = state.withLock { !$0.isSuspended } && tcgetpgrp(STDERR_FILENO) == getpgrp()
      if isShown { StandardError.show(text) }
    }
  }

  private func parts() async -> [(String, TextStyle)] {
    let stream = state.withLock { $0.stream }
    let renewal = await stream?.nextRenewal
    let (vitals, figures, now) = (monitor.vitals, sink.figures, loop.timestamp())
    return state.withLock { state in
      state.disk.note(bytes: Double(figures.total.bytes), at: now.monotonic)
      var live = state.tracker.figures(vitals, at: now.monotonic)
      let closed = state.sessions?.closed ?? (count: 0, next: nil)
      if closed.count > 0, live.subscriptions == 0 { live.state = "CLOSED" }
      if figures.failure != nil { (live.state, live.style) = ("NOT WRITTEN", .red) }
      var parts = live.parts(of: "rec", late: "lag", on: terminal)
      if closed.count > 0 {
        let next = closed.next.map {
          ", next opens in \(FigureText.countdown($0 * 1_000_000_000 - now.realtime))"
        }
        parts.append(("\(closed.count) closed\(next ?? "")", .dim))
      }
      if let disk = state.disk.text(free: figures.freeBytes) { parts.append((disk, .plain)) }
      parts.append(live.gapPart ?? ("gaps 0", .dim))
      if let renewal {
        parts.append(("next renewal \(FigureText.countdown(renewal - now.monotonic))", .dim))
      }
      if let failure = figures.failure { parts.insert(("\(failure)", .red), at: 1) }
      return parts
    }
  }
}

/// How fast a disk fills, over the last minute.
struct DiskPace {
  private var looks: [(monotonic: Int64, bytes: Double)] = []
  private static let window: Int64 = 60_000_000_000
  private static let step: Int64 = 1_000_000_000

  /// Takes how much has been written.
  mutating func note(bytes: Double, at now: Int64) {
    if let last = looks.last, now - last.monotonic < Self.step { return }
    looks.append((now, bytes))
    while looks.count > 2, now - looks[1].monotonic >= Self.window { looks.removeFirst() }
  }

  /// Bytes in a second, before compression; nil until there is something to compare.
  var rate: Double? {
    guard let first = looks.first, let last = looks.last, last.monotonic > first.monotonic else {
      return nil
    }
    return (last.bytes - first.bytes) / (Double(last.monotonic - first.monotonic) / 1e9)
  }

  /// The pace in words, and how long the disk lasts at it.
  func text(free: Int?) -> String? {
    guard let rate else { return nil }
    var text = "disk \(FigureText.bytes(rate * 60))/min"
    guard let free else { return text }
    let days = Double(free) / max(rate, 1) / 86_400
    if days >= 1_000 {
      text += " (years left)"
    } else if days >= 2 {
      text += " (\(FigureText.rounded(days)) d left)"
    } else {
      text += " (\(FigureText.rounded(days * 24)) h left)"
    }
    return text
  }
}
