// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Transport
import WebSocket

/// Connects once and tells what happened, whatever it was.
struct SingleRun {
  /// A flood of messages is counted no further than this.
  private static let mostMessages = 10_000

  let url: String
  let configuration: WebSocketConfiguration
  let connector: NetworkConnector
  let loop: EventLoop

  private struct Outcome: Sendable {
    var opened = false
    var messages: [String] = []
    var error: String?
    var close: UInt16?
  }

  func run(timeout: Duration) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    let outcome = await withTaskGroup(of: Outcome?.self) { group in
      group.addTask { await talk() }
      group.addTask {
        try? await Task.sleep(for: timeout)
        return nil
      }
      // If time is up first, cancelling closes the connection and the other task tells so.
      var outcome = await group.next() ?? nil
      group.cancelAll()
      if outcome == nil { outcome = await group.next() ?? nil }
      return outcome ?? Outcome()
    }
    Report.line([
      ("opened", .bool(outcome.opened)),
      ("messages", .array(outcome.messages.map { .string($0) })),
      ("error", outcome.error.map { .string($0) } ?? .null),
      ("close", outcome.close.map { .number("\($0)") } ?? .null),
      ("seconds", Report.number(Report.seconds(clock.now - start))),
      ("rss", Report.number(Usage.now().peakMegabytes)),
    ])
  }

  private func talk() async -> Outcome {
    var outcome = Outcome()
    do {
      let socket = try await WebSocketConnection.connect(
        to: WebSocketConnection.parse(url),
        configuration: configuration,
        connector: connector,
        loop: loop
      )
      outcome.opened = true
      do {
        for try await message in socket.messages
        where outcome.messages.count < Self.mostMessages {
          outcome.messages.append(String(message.text.prefix(20)))
        }
      } catch {
        outcome.error = Task.isCancelled ? "timeout" : "\(error)"
      }
      outcome.close = await socket.closeCode?.rawValue
    } catch {
      outcome.error = Task.isCancelled ? "timeout" : "\(error)"
    }
    return outcome
  }
}
