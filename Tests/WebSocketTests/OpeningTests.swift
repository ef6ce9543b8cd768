// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing
import Transport
import WebSocketProtocol

@testable import WebSocket

@Suite("Opening a connection", .timeLimit(.minutes(5)))
struct OpeningTests {
  @Test("The request carries what was configured, the answer is read to its last byte")
  func opens() async throws {
    let rig = try Rig(capacity: 7)
    defer { rig.stop() }
    var configuration = WebSocketConfiguration()
    configuration.headers = [WebSocketHeader("Cookie", "api=secret")]
    configuration.subprotocols = ["v1"]
    let socket = try await rig.connected(configuration, followedBy: frame(text: "at once"))
    #expect(await rig.peer.request?.fields["Cookie"] == "api=secret")
    #expect(await rig.peer.request?.target == "/feed")
    #expect(await socket.subprotocol == "v1")
    let batch = try #require(try await socket.nextBatch())
    #expect(batch.messages.text(of: 0) == "at once")
  }

  @Test(
    "What cannot be sent is refused, and nothing was sent",
    arguments: [
      ("ws://localhost/", "X", "a\r\nb"), ("ws://localhost/", "a b", "c"),
      ("ws://localhost/", "Host", "x"), ("http://localhost/", "X", "y"),
      ("ws://user@localhost/", "X", "y"), ("ws://localhost/a b", "X", "y"), ("", "X", "y"),
    ]
  )
  func refused(url: String, name: String, value: String) async throws {
    let rig = try Rig()
    defer { rig.stop() }
    var configuration = WebSocketConfiguration()
    configuration.headers = [WebSocketHeader(name, value)]
    let error = await #expect(throws: WebSocketError.self) {
      // The peer does not answer: only an error before sending lets this end.
      try await rig.connect(configuration, url: url)
    }
    #expect(error?.code == .invalidRequest)
  }

  @Test("An answer that is no upgrade is told with its status and the start of its body")
  func statusAndBody() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let connecting = Task { try await rig.connect() }
    try await rig.peer.answer(
      "HTTP/1.1 401 Unauthorized\r\nContent-Length: 5000\r\n\r\n{\"error\":\"no session\"}"
    )
    await rig.peer.shutdown()
    let error = await #expect(throws: WebSocketError.self) { try await connecting.value }
    #expect(error?.code == .handshake)
    #expect(error?.status == 401)
    #expect(error.map { String(decoding: $0.body, as: UTF8.self) } == "{\"error\":\"no session\"}")
    #expect(error?.description.contains("no session") == false)
  }

  @Test("An endless body is not waited for")
  func endlessBody() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let connecting = Task { try await rig.connect() }
    try await rig.peer.answer("HTTP/1.1 403 Forbidden\r\n\r\nfirst")
    await rig.loop.advance(by: .seconds(2))
    let error = await #expect(throws: WebSocketError.self) { try await connecting.value }
    #expect(error?.body == Array("first".utf8))
  }

  @Test("Redirects are not followed")
  func redirect() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let connecting = Task { try await rig.connect() }
    try await rig.peer.answer(
      "HTTP/1.1 302 Found\r\nLocation: wss://other/ws?token=SECRET\r\nContent-Length: 0\r\n\r\n"
    )
    await rig.peer.shutdown()
    let error = await #expect(throws: WebSocketError.self) { try await connecting.value }
    #expect(error?.code == .redirect)
    #expect(error?.description.contains("wss://other/ws") == true)
    #expect("\(String(describing: error)) \(String(reflecting: error))".contains("SECRET") == false)
  }

  @Test(
    "Answers that are no HTTP/1.1",
    arguments: [
      "garbage\r\n\r\n", "HTTP/1.0 101 x\r\n\r\n", "HTTP/1.1 101\r\nA:b\r\n c\r\n\r\n", "",
    ]
  )
  func notHTTP(text: String) async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let connecting = Task { try await rig.connect() }
    try await rig.peer.answer(text)
    await rig.peer.shutdown()
    let error = await #expect(throws: WebSocketError.self) { try await connecting.value }
    #expect(error?.code == .handshake)
  }

  @Test("Interim answers are passed over")
  func interim() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let connecting = Task { try await rig.connect() }
    try await rig.peer.readRequest()
    try await rig.peer.write(Array("HTTP/1.1 103 Early Hints\r\n\r\n".utf8))
    let head = try #require(await rig.peer.request)
    var answer: [UInt8] = []
    try ServerHandshake(head).response.write(to: &answer)
    try await rig.peer.write(answer)
    let socket = try await connecting.value
    #expect(await socket.subprotocol == nil)
  }

  @Test("Silence ends at the deadline")
  func silence() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let connecting = Task { try await rig.connect() }
    try await rig.peer.readRequest()
    await rig.loop.advance(by: .seconds(21))
    let error = await #expect(throws: WebSocketError.self) { try await connecting.value }
    #expect(error?.code == .handshakeTimedOut)
  }

  @Test("A byte now and then does not move the deadline")
  func slowloris() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let connecting = Task { try await rig.connect() }
    try await rig.peer.readRequest()
    for byte in "HTTP/1.1 101 Switching".utf8 {
      try await rig.peer.write([byte])
      await rig.loop.advance(by: .seconds(1))
    }
    let error = await #expect(throws: WebSocketError.self) { try await connecting.value }
    #expect(error?.code == .handshakeTimedOut)
  }

  @Test("Cancelling the task ends connecting")
  func cancelled() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let task = Task { try await rig.connect() }
    try await rig.peer.readRequest()
    task.cancel()
    let error = await #expect(throws: WebSocketError.self) { try await task.value }
    #expect(error?.code == .cancelled)
  }

  @Test("A server refuses a request that is no upgrade with an HTTP answer")
  func serverRefuses() async throws {
    let rig = try Rig()
    defer { rig.stop() }
    let (link, loop) = (rig.link, rig.loop)
    let error = await #expect(throws: WebSocketError.self) {
      try await loop.run { _ in
        let stream = MemoryStream(link, .client, on: loop)
        let request = try RequestHead(method: .get, target: "/")
        _ = try await WebSocketConnection.accept(stream, request: request, loop: loop)
      }
    }
    #expect(error?.code == .handshake)
    let answer = try await rig.peer.read(12)
    #expect(String(decoding: answer, as: UTF8.self) == "HTTP/1.1 400")
  }
}
