// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import WebSocket

/// Runs the cases of an Autobahn fuzzing server, whose protocol is three paths.
struct SuiteRun {
  let url: String
  let agent: String
  let configuration: WebSocketConfiguration
  let loop: EventLoop

  func run() async throws {
    let count = try await caseCount()
    for number in 1...max(1, count) {
      // Most cases are about connections that end badly; the server keeps the score.
      try? await echo("runCase?case=\(number)&agent=\(agent)")
    }
    try? await echo("updateReports?agent=\(agent)")
  }

  private func caseCount() async throws -> Int {
    let socket = try await open("getCaseCount")
    var count = 0
    for try await message in socket.messages {
      count = Int(message.text) ?? count
    }
    return count
  }

  private func echo(_ path: String) async throws {
    let socket = try await open(path)
    try await Echo.run(socket)
  }

  private func open(_ path: String) async throws -> WebSocketConnection {
    let base = url.hasSuffix("/") ? url : url + "/"
    return try await WebSocketConnection.connect(
      to: base + path,
      configuration: configuration,
      loop: loop
    )
  }
}
