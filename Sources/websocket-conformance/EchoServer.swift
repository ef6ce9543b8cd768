// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import HTTP1
import WebSocket

/// A server that echoes every message: the server role of the engine, for foreign clients to test.
struct EchoServer {
  let port: UInt16
  let credentials: TLSCredentials?
  let configuration: WebSocketConfiguration
  let loop: EventLoop

  func run() async throws {
    let context = try credentials.map { try TLSContext(server: $0) }
    let listener = try Listener(loopback: port, loop: loop)
    print("listening \(context == nil ? "ws" : "wss")://127.0.0.1:\(listener.port)")
    fflush(nil)
    try await loop.run { _ in
      try await withThrowingDiscardingTaskGroup { group in
        while true {
          let visitor = Visitor(loop: loop, configuration: configuration, context: context)
          try await visitor.receive(from: listener)
          // What a client does wrong ends its own connection only.
          group.addTask { try? await visitor.serve() }
        }
      }
    }
  }
}

/// One client of the server.
actor Visitor {
  private let loop: EventLoop
  private let configuration: WebSocketConfiguration
  private let context: TLSContext?
  private var stream: (any ByteStream)?

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  init(loop: EventLoop, configuration: WebSocketConfiguration, context: TLSContext?) {
    self.loop = loop
    self.configuration = configuration
    self.context = context
  }

  func receive(from listener: Listener) async throws {
    stream = try await listener.accept()
  }

  func serve() async throws {
    guard let accepted = stream else { return }
    stream = nil
    let deadline = loop.deadline(after: configuration.handshakeTimeout)
    let secured = try await secure(accepted, deadline: deadline)
    let (request, leftover) = try await readRequest(secured, deadline: deadline)
    let socket = try await WebSocketConnection.accept(
      secured,
      request: request,
      leftover: leftover,
      configuration: configuration,
      loop: loop
    )
    try await Echo.run(socket)
  }

  private func secure(
    _ accepted: any ByteStream,
    deadline: Int64
  ) async throws -> any ByteStream {
    guard let context, let tcp = accepted as? TCPStream else { return accepted }
    let secured = try TLSStream(server: tcp, context: context)
    try await secured.handshake(deadline: deadline)
    return secured
  }

  private func readRequest(
    _ stream: any ByteStream,
    deadline: Int64
  ) async throws -> (RequestHead, leftover: [UInt8]) {
    var parser = RequestHeadParser()
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      switch try buffer.withUnsafeMutableBytes({ try stream.read(into: $0) }) {
      case .bytes(let count):
        let bytes = Array(buffer[..<count])
        let (consumed, head) = try parser.parse(bytes.span)
        if let head { return (head, Array(bytes[consumed...])) }
      case .wouldBlock:
        try await stream.waitUntilReadable(deadline: deadline)
      case .end:
        throw HTTPError(.truncatedHead)
      }
    }
  }
}
