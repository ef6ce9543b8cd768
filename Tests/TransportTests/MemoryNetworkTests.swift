// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct MemoryNetworkTests {
  private static func withVirtualLoop<Result: Sendable>(
    _ body: @Sendable (isolated LoopActor, EventLoop) async throws -> Result
  ) async throws -> Result {
    let loop = try EventLoop(virtual: Timestamp(realtime: 0, monotonic: 0, boot: 0))
    defer { loop.stop() }
    return try await loop.run { actor in try await body(actor, loop) }
  }

  @Test func `A client finds the listener and both speak`() async throws {
    try await Self.withVirtualLoop { _, loop in
      let network = MemoryNetwork()
      let listener = network.listen(host: "gateway", port: 5_000, on: loop)
      async let echo: Void = loop.run { _ in
        let stream = try await listener.accept()
        try await stream.writeAll(try await drain(stream).bytes, deadline: nil)
        stream.shutdown()
      }
      let endpoint = Endpoint(host: "gateway", port: 5_000, security: .plaintext)
      let stream = try await network.connect(to: endpoint, on: loop, deadline: nil)
      try await stream.writeAll([1, 2, 3], deadline: nil)
      stream.shutdown()
      #expect(try await drain(stream).bytes == [1, 2, 3])
      try await echo
    }
  }

  @Test func `Nobody there, network down, listener closed: each has its code`() async throws {
    try await Self.withVirtualLoop { _, loop in
      let network = MemoryNetwork()
      func connect() async -> TransportError.Code? {
        await failure {
          _ = try await network.open(host: "gateway", port: 1, on: loop, deadline: nil)
        }?.code
      }
      #expect(await connect() == .refused)
      let listener = network.listen(host: "gateway", port: 1, on: loop)
      #expect(await connect() == nil)
      network.setUp(false)
      #expect(await connect() == .unreachable)
      network.setUp(true)
      listener.close()
      #expect(await connect() == .refused)
      #expect(await failure { _ = try await listener.accept() }?.code == .closed)
    }
  }

  @Test func `All open connections can be cut`() async throws {
    try await Self.withVirtualLoop { _, loop in
      let network = MemoryNetwork()
      let listener = network.listen(host: "gateway", port: 1, on: loop)
      let stream = try await network.open(host: "gateway", port: 1, on: loop, deadline: nil)
      let peer = try await listener.accept()
      network.forEachLink { $0.reset() }
      #expect(await failure { _ = try await drain(stream) }?.code == .reset)
      #expect(await failure { _ = try await drain(peer) }?.code == .reset)
    }
  }
}
