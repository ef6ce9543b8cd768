// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import WebSocket

/// The engine alone, for test servers and test clients to drive.
@main
struct WebSocketConformance: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "websocket-conformance",
    abstract: "Drive the WebSocket engine without IBKR: conformance, abuse and speed tests.",
    discussion: """
      websocket-conformance --url ws://127.0.0.1:9001 --agent ibkr-stream --deflate
          runs all cases of an Autobahn fuzzing server and echoes what it sends
      websocket-conformance --once wss://localhost:8443/case --ca ca.pem
          connects once and tells in one line of JSON what happened
      websocket-conformance --count wss://localhost:8443/ --insecure
          counts messages until the close frame, at full speed
      websocket-conformance --echo wss://localhost:8443/ --ca ca.pem
          echoes every message until the connection is closed
      websocket-conformance --serve 9002 --deflate
          echoes whatever clients send
      """
  )

  @OptionGroup var target: TargetOptions
  @OptionGroup var connection: ConnectionOptions

  @Option(help: "The name that the report of --url is kept under.")
  var agent = "ibkr-stream"

  @Option(help: "With --once: give up after so many seconds.")
  var timeout = 6.0

  @Option(help: "With --count: append each message and a newline to this file.")
  var out: String?

  @OptionGroup var credentials: CredentialOptions

  func validate() throws {
    guard timeout > 0, timeout < 1e6 else {
      throw ValidationError("--timeout must be a number of seconds above 0")
    }
  }

  func run() async throws {
    let loop = try EventLoop(name: "websocket")
    defer { loop.stop() }
    var configuration = try connection.configuration()
    configuration.credentials = try credentials.load()
    switch try target.mode() {
    case .suite(let url):
      try await SuiteRun(url: url, agent: agent, configuration: configuration, loop: loop).run()
    case .once(let url):
      try await SingleRun(
        url: url,
        configuration: configuration,
        connector: connection.connector,
        loop: loop
      ).run(timeout: .seconds(timeout))
    case .count(let url):
      try await CountingRun(url: url, out: out, configuration: configuration, loop: loop).run()
    case .echo(let url):
      try await Echo.run(.connect(to: url, configuration: configuration, loop: loop))
    case .serve(let port):
      try await EchoServer(
        port: port,
        credentials: configuration.credentials,
        configuration: configuration,
        loop: loop
      ).run()
    }
  }
}
