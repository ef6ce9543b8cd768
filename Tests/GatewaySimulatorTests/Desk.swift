// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1

@testable import GatewaySimulator

/// A gateway with a client's view of it, on a clock that only the test moves.
struct Desk {
  private(set) var now = Timestamp(
    realtime: 1_777_552_110_000_000_000,
    monotonic: 1_000_000_000,
    boot: 1_000_000_000
  )
  var gateway: GatewayModel
  /// Everything that came, with the milliseconds after the start.
  private(set) var log: [(after: Int64, socket: Int, output: SocketOutput)] = []

  init(
    scenario: Scenario = .steady,
    _ change: (inout GatewayState.Options) -> Void = { _ in }
  ) {
    var options = GatewayState.Options()
    change(&options)
    gateway = GatewayModel(options, scenario: scenario, at: now)
  }

  /// Lets time pass, from one deadline to the next.
  mutating func pass(milliseconds: Int64) {
    let end = now.monotonic + milliseconds * 1_000_000
    while let next = gateway.nextTime, next <= end {
      move(to: next)
      gateway.advance(to: now)
      collect()
    }
    move(to: end)
  }

  mutating func open() -> Int { gateway.open(at: now) }

  mutating func say(_ text: String, _ socket: Int = 1) {
    gateway.receive(text, from: socket, at: now)
    collect()
  }

  mutating func get(
    _ path: String,
    method: String = "GET",
    fields: HTTPFields = HTTPFields(),
    body: String = ""
  ) -> GatewayResponse? {
    GatewayRequest(
      method: method,
      target: "/v1/api" + path,
      fields: fields,
      body: Array(body.utf8)
    ).flatMap { gateway.respond(to: $0, at: now) }
  }

  /// Takes the texts that came since the last call.
  mutating func take(_ socket: Int = 1) -> [String] {
    defer { log.removeAll { $0.socket == socket } }
    return log.filter { $0.socket == socket }.compactMap {
      if case .message(let text) = $0.output { text } else { nil }
    }
  }

  private mutating func collect() {
    for (socket, output) in gateway.takeOutput() {
      log.append(((now.monotonic - 1_000_000_000) / 1_000_000, socket, output))
    }
  }

  private mutating func move(to monotonic: Int64) {
    now = now.advanced(by: monotonic - now.monotonic)
  }
}
