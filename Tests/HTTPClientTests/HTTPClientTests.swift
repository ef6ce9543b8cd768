// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing
import Transport

@testable import HTTPClient

@Suite(.timeLimit(.minutes(5))) struct HTTPClientTests {
  static func request(
    _ method: HTTPMethod = .get,
    _ target: String = "/v1/api/tickle",
    body: [UInt8]? = nil,
    timeout: Duration = .seconds(20),
    isRepeatable: Bool? = nil
  ) throws -> HTTPClientRequest {
    HTTPClientRequest(
      method,
      try WebURL("http://localhost:5000\(target)"),
      body: body,
      timeout: timeout,
      isRepeatable: isRepeatable
    )
  }

  @Test func sendsWhatIBKRAsksForAndReusesTheConnection() async throws {
    try await withClient([[ScriptedServer.ok, ScriptedServer.ok]]) { client, server in
      let first = try await client.send(try Self.request(.post))
      #expect(first.head.status == 200)
      #expect(first.body == Array("ok".utf8))
      _ = try await client.send(try Self.request(.post, "/b?c=d", body: Array("{}".utf8)))
      let requests = await server.requests
      #expect(requests.map(\.count) == [2])
      let head = requests[0][0].head
      #expect(head.fields["Host"] == "localhost:5000")
      #expect(head.fields["Content-Length"] == "0")
      #expect(head.fields["User-Agent"] == "ibkr-stream")
      #expect(head.fields["Accept-Encoding"] == "gzip, deflate")
      #expect(head.fields["Connection"] == "keep-alive")
      #expect(requests[0][1].head.target == "/b?c=d")
      #expect(requests[0][1].body == Array("{}".utf8))
    }
  }

  @Test func anyStatusIsAnAnswerAndRedirectsAreNotFollowed() async throws {
    let script = [302, 401, 404, 500].map { status in
      ScriptedServer.Step.answer(
        "HTTP/1.1 \(status) X\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"
      )
    }
    try await withClient([script]) { client, server in
      for status in [302, 401, 404, 500] {
        let response = try await client.send(try Self.request())
        #expect(response.head.status == status)
      }
      #expect(await server.requests.map(\.count) == [4])
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 FORGED\r\n\r\n",
  ])
  func opensANewConnectionWhereTheOldOneMustNotBeUsed(answer: String) async throws {
    try await withClient([[.answer(answer)], [ScriptedServer.ok]]) { client, server in
      let response = try await client.send(try Self.request())
      #expect(response.body == Array("ok".utf8))
      let second = try await client.send(try Self.request())
      #expect(second.head.reason == "OK")
      #expect(await server.requests.map(\.count) == [1, 1])
    }
  }

  @Test func keepsNoConnectionThatTheServerHasClosed() async throws {
    for end in [ScriptedServer.Step.close, .reset, .say("HTTP/1.1 408 Timeout\r\n\r\n")] {
      try await withClient([[ScriptedServer.ok, end], [ScriptedServer.ok]]) { client, server in
        _ = try await client.send(try Self.request(.post))
        try await client.loop.sleep(for: .seconds(1))
        _ = try await client.send(try Self.request(.post))
        #expect(await server.requests.map(\.count) == [1, 1])
      }
    }
  }

  @Test func repeatsAGetOnceIfAKeptConnectionDiesUnderIt() async throws {
    let scripts = [[ScriptedServer.ok, .hangUp], [.hangUp], [ScriptedServer.ok]]
    try await withClient(scripts) { client, server in
      _ = try await client.send(try Self.request())
      let error = await #expect(throws: HTTPClientError.self) {
        try await client.send(try Self.request())
      }
      // The second connection was new, so its end was not a matter of age: no third try.
      #expect(error?.code == .connectionLost)
      #expect(await server.requests.map(\.count) == [2, 1])
    }
    try await withClient([[ScriptedServer.ok, .hangUp], [ScriptedServer.ok]]) { client, server in
      _ = try await client.send(try Self.request())
      let response = try await client.send(try Self.request())
      #expect(response.body == Array("ok".utf8))
      #expect(await server.requests.map(\.count) == [2, 1])
    }
  }

  @Test func neverRepeatsAnOrder() async throws {
    let scripts = [[ScriptedServer.ok, .hangUp], [ScriptedServer.ok]]
    try await withClient(scripts) { client, server in
      _ = try await client.send(try Self.request())
      let error = await #expect(throws: HTTPClientError.self) {
        try await client.send(try Self.request(.post, "/iserver/account/U1/orders"))
      }
      #expect(error?.code == .connectionLost)
      #expect(error?.mayHaveReached == true)
      #expect(await server.requests.map(\.count) == [2])
    }
    try await withClient(scripts) { client, server in
      _ = try await client.send(try Self.request())
      _ = try await client.send(try Self.request(.post, "/tickle", isRepeatable: true))
      #expect(await server.requests.map(\.count) == [2, 1])
    }
  }

  @Test func neverRepeatsAfterTheFirstByteOfAResponse() async throws {
    let scripts = [[ScriptedServer.ok, .answer("HTTP/1.1 200 O"), .close], [ScriptedServer.ok]]
    try await withClient(scripts) { client, server in
      _ = try await client.send(try Self.request())
      let error = await #expect(throws: HTTPClientError.self) {
        try await client.send(try Self.request())
      }
      #expect(error?.code == .connectionLost)
      #expect(await server.requests.map(\.count) == [2])
    }
  }

  @Test(arguments: [
    (ScriptedServer.Step.silence, HTTPClientError.Code.timedOut),
    (.trickle(String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 8)), .timedOut),
    (.hangUp, .connectionLost),
    (.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"), .timedOut),
    (.answer("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"), .invalidResponse),
    (.answer("SSH-2.0-OpenSSH\r\n"), .invalidResponse),
    (.answer("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nx"), .invalidResponse),
  ])
  func failsWithOneClearCode(step: ScriptedServer.Step, code: HTTPClientError.Code) async throws {
    try await withClient([[step]]) { client, server in
      let start = client.loop.now
      let error = await #expect(throws: HTTPClientError.self) {
        try await client.send(try Self.request(.get, "/ws?oauth_token=SECRET"))
      }
      #expect(error?.code == code)
      #expect(error?.mayHaveReached == true)
      #expect(error?.description.contains("SECRET") == false)
      #expect(client.loop.now - start <= 20_000_000_000)
      #expect(await client.idleCount == 0)
    }
  }

  @Test func aConnectionCutInsideABodyIsNoResponse() async throws {
    let answer = "HTTP/1.1 200 OK\r\n\r\nuntil the end, but which end?"
    try await withClient([[.answer(answer), .reset]]) { client, _ in
      let error = await #expect(throws: HTTPClientError.self) {
        try await client.send(try Self.request())
      }
      #expect(error?.code == .connectionLost)
    }
    // Closed without the goodbye that cannot be forged (TLS: close_notify).
    try await withClient([[.answer(answer), .close]]) { client, _ in
      let error = await #expect(throws: HTTPClientError.self) {
        try await client.send(try Self.request())
      }
      #expect(error?.code == .connectionLost)
    }
  }

  @Test func saysThatNothingWasSent() async throws {
    try await withClient([]) { client, _ in
      let refused = await #expect(throws: HTTPClientError.self) {
        try await client.send(try Self.request(.post))
      }
      #expect(refused?.code == .cannotConnect)
      #expect(refused?.mayHaveReached == false)
      #expect(refused?.transport?.code == .refused)

      var invalid = try Self.request()
      try invalid.fields.append("Host", "elsewhere")
      let request = invalid
      let error = await #expect(throws: HTTPClientError.self) { try await client.send(request) }
      #expect(error?.code == .invalidRequest)
      #expect(error?.message?.code == .duplicateField)

      let socket = HTTPClientRequest(.get, try WebURL("wss://localhost/"))
      let scheme = await #expect(throws: HTTPClientError.self) { try await client.send(socket) }
      #expect(scheme?.message?.code == .unsupportedScheme)
    }
  }

  @Test func cancellingClosesTheConnectionAtOnce() async throws {
    try await withClient([[.silence]]) { client, server in
      let request = try Self.request()
      let task = Task(executorPreference: client.loop) { try await client.send(request) }
      try await client.loop.sleep(for: .seconds(1))
      #expect(await server.requests.map(\.count) == [1])
      task.cancel()
      let error = await #expect(throws: HTTPClientError.self) { try await task.value }
      #expect(error?.code == .cancelled)
      try await client.loop.sleep(for: .milliseconds(1))
      #expect(await server.ended == 1)
    }
  }

  @Test func requestsAtTheSameTimeHaveConnectionsOfTheirOwn() async throws {
    let scripts = Array(repeating: [ScriptedServer.ok], count: 6)
    try await withClient(scripts) { client, server in
      let request = try Self.request()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<6 {
          group.addTask {
            let response = try await client.send(request)
            #expect(response.head.status == 200)
          }
        }
        try await group.waitForAll()
      }
      #expect(await server.requests.map(\.count) == Array(repeating: 1, count: 6))
      #expect(await client.idleCount == 4)
    }
  }

  @Test func idleConnectionsAreClosedInTime() async throws {
    let configuration = HTTPClient.Configuration(idleTimeout: .seconds(30))
    try await withClient(
      [[ScriptedServer.ok, ScriptedServer.ok]],
      configuration: configuration
    ) { client, server in
      _ = try await client.send(try Self.request())
      try await client.loop.sleep(for: .seconds(20))
      _ = try await client.send(try Self.request())
      try await client.loop.sleep(for: .seconds(29))
      #expect(await client.idleCount == 1)
      try await client.loop.sleep(for: .seconds(2))
      #expect(await client.idleCount == 0)
      #expect(await server.ended == 1)
    }
  }

  @Test func aClosedClientRefuses() async throws {
    try await withClient([[ScriptedServer.ok]]) { client, _ in
      _ = try await client.send(try Self.request())
      await client.close()
      #expect(await client.idleCount == 0)
      let error = await #expect(throws: HTTPClientError.self) {
        try await client.send(try Self.request())
      }
      #expect(error?.code == .closed)
    }
  }
}
