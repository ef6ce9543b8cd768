// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import WebSocket

/// Receives as fast as it can until the close frame, and says how fast that was.
struct CountingRun {
  let url: String
  let out: String?
  let configuration: WebSocketConfiguration
  let loop: EventLoop

  private struct Sum: Sendable {
    var messages = 0
    var bytes = 0
  }

  func run() async throws {
    let socket = try await WebSocketConnection.connect(
      to: url,
      configuration: configuration,
      loop: loop
    )
    let before = Usage.now()
    let clock = ContinuousClock()
    let start = clock.now
    let sum = try await receive(socket)
    let seconds = Report.seconds(clock.now - start)
    let after = Usage.now()
    Report.line([
      ("messages", .number("\(sum.messages)")),
      ("bytes", .number("\(sum.bytes)")),
      ("seconds", Report.number(seconds)),
      ("cpu_user", Report.number(after.userSeconds - before.userSeconds)),
      ("cpu_system", Report.number(after.systemSeconds - before.systemSeconds)),
      ("rss", Report.number(after.peakMegabytes)),
    ])
  }

  /// On the connection's own loop, so that a batch does not change threads.
  private func receive(_ socket: WebSocketConnection) async throws -> Sum {
    try await loop.run { _ in
      var file = try out.map { try LineFile(path: $0) }
      var sum = Sum()
      while let batch = try await socket.nextBatch()?.messages {
        for index in 0..<batch.count where batch[index].kind.isData {
          sum.messages += 1
          sum.bytes += batch[index].count
        }
        try file?.append(batch)
      }
      try file?.finish()
      return sum
    }
  }
}
