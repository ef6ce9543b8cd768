// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import HTTPClient
import IBKR
import JSON
import Testing
import Transport

@testable import Monitoring

@Suite(.timeLimit(.minutes(5))) struct StatusServerTests {
  /// What a server says to requests, over TCP.
  private func answers(
    _ monitor: StreamMonitor,
    _ requests: [(HTTPMethod, String)]
  ) async throws -> [HTTPResponse] {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let address = try #require(ListeningAddress(":0"))
    let server = try StatusServer(on: address, .init(version: "1.2.3", monitor: monitor))
    let running = Task { await server.run() }
    let client = HTTPClient(loop: loop, tls: try TLSContext(client: .system))
    var answers: [HTTPResponse] = []
    for (method, path) in requests {
      let url = try WebURL("http://\(server.address)\(path)")
      answers.append(try await client.send(HTTPClientRequest(method, url)))
    }
    await client.close()
    running.cancel()
    await running.value
    return answers
  }

  @Test func everyPageIsThere() async throws {
    let loop = try EventLoop(virtual: StreamWorld.start, advance: .onDemand)
    defer { loop.stop() }
    let monitor = StreamMonitor(loop: loop)
    var builder = EventBatchBuilder()
    builder.append(.connection(.ready), realtime: 1, monotonic: StreamWorld.start.monotonic)
    await monitor.write(try #require(builder.take()))
    let answers = try await answers(
      monitor,
      [(.get, "/metrics"), (.get, "/healthz"), (.get, "/status"), (.get, "/"), (.get, "/x")]
    )
    #expect(answers.map(\.head.status) == [200, 200, 200, 200, 404])
    let metrics = String(decoding: answers[0].body, as: UTF8.self)
    #expect(metrics.contains("\nibkr_connected 1\n"))
    #expect(metrics.contains(#"ibkr_build_info{version="1.2.3"} 1"#))
    #expect(answers[0].head.fields["Content-Type"]?.hasPrefix("text/plain; version=0.0.4") == true)
    #expect(answers[1].body == Array("ok\n".utf8))
    let status = try JSONValue(parsing: answers[2].body)
    #expect(status["healthy"] == true)
    #expect(status["connected"] == true)
    #expect(status["recorder"] == .null)
  }

  @Test func missingDataIsNotHealthy() async throws {
    let loop = try EventLoop(virtual: StreamWorld.start, advance: .onDemand)
    defer { loop.stop() }
    let monitor = StreamMonitor(loop: loop)
    var builder = EventBatchBuilder()
    let start = StreamWorld.start
    builder.append(.connection(.ready), realtime: 1, monotonic: start.monotonic)
    let long = start.monotonic - 60_000_000_000
    builder.append(
      .gap(
        Gap(
          id: 1,
          phase: .began,
          start: .init(realtime: 1, monotonic: long),
          reason: .silence,
          detectedBy: "no heartbeat",
          subscriptions: [StreamWorld.key(5)],
          seqFirst: 1
        )
      ),
      realtime: 1,
      monotonic: start.monotonic
    )
    await monitor.write(try #require(builder.take()))
    let answers = try await answers(monitor, [(.get, "/healthz"), (.get, "/status")])
    #expect(answers[0].head.status == 503)
    #expect(
      String(decoding: answers[0].body, as: UTF8.self)
        == "data of 1 subscription is missing for 60 s: silence, no heartbeat\n"
    )
    let status = try JSONValue(parsing: answers[1].body)
    #expect(status["healthy"] == false)
    #expect(status["gaps"]?["open"]?[0]?["conids"]?[0]?.string == "5")
  }

  @Test func onlyReadingIsAnswered() async throws {
    let loop = try EventLoop(virtual: StreamWorld.start, advance: .onDemand)
    defer { loop.stop() }
    let monitor = StreamMonitor(loop: loop)
    let answers = try await answers(monitor, [(.head, "/status"), (.post, "/status")])
    #expect(answers[0].head.status == 200)
    #expect(answers[0].body.isEmpty)
    #expect(answers[1].head.status == 405)
    #expect(answers[1].head.fields["Allow"] == "GET, HEAD")
  }
}
