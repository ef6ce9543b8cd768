// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing
import WebSocket

/// What the README shows: the library alone, without IBKR.
private func conversation(with url: String) async throws -> [String] {
  let loop = try EventLoop(name: "io")
  defer { loop.stop() }
  var heard: [String] = []

  let socket = try await WebSocketConnection.connect(to: url, loop: loop)
  try await socket.send(text: "hello")
  for try await message in socket.messages {
    heard.append(message.text)
    if heard.count == 2 { await socket.close() }
  }
  return heard
}

@Suite("Over the network", .timeLimit(.minutes(5)))
struct ExampleTests {
  @Test("The README's example, with a server on the loopback")
  func example() async throws {
    let loop = try EventLoop(name: "server")
    defer { loop.stop() }
    let listener = try Listener(loopback: 0, loop: loop)
    let serving = Task {
      try await loop.run { _ in
        let stream = try await listener.accept()
        var parser = RequestHeadParser()
        var request: RequestHead?
        var buffer = [UInt8](repeating: 0, count: 4096)
        while request == nil {
          switch try buffer.withUnsafeMutableBytes({ try stream.read(into: $0) }) {
          case .bytes(let count): request = try parser.parse(Array(buffer[..<count]).span).head
          case .wouldBlock: try await stream.waitUntilReadable(deadline: nil)
          case .end: return
          }
        }
        guard let request else { return }
        let socket = try await WebSocketConnection.accept(stream, request: request, loop: loop)
        for try await message in socket.messages {
          try await socket.send(text: message.text)
          try await socket.send(text: "and \(message.text) again")
        }
      }
    }
    let heard = try await conversation(with: "ws://localhost:\(listener.port)/")
    #expect(heard == ["hello", "and hello again"])
    try await serving.value
  }

  @Test("A port that nobody listens on is told with the address")
  func refused() async throws {
    let loop = try EventLoop(name: "io")
    defer { loop.stop() }
    let listener = try Listener(loopback: 0, loop: loop)
    let port = listener.port
    listener.close()
    let error = await #expect(throws: WebSocketError.self) {
      try await WebSocketConnection.connect(to: "ws://127.0.0.1:\(port)/", loop: loop)
    }
    #expect(error?.code == .connect)
    #expect(error?.transport?.code == .refused)
  }
}
