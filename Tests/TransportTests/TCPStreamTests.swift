// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct TCPStreamTests {
  private static let connector = NetworkConnector()

  private static func connect(to port: UInt16, on loop: EventLoop) async throws -> any ByteStream {
    try await connector.open(
      host: "127.0.0.1",
      port: port,
      on: loop,
      deadline: loop.deadline(after: .seconds(10))
    )
  }

  @Test(arguments: ["127.0.0.1", "::1", "localhost"])
  func `Bytes go both ways and the end is told`(host: String) async throws {
    try await withLoop { _, loop in
      let listener = try Listener(loopback: 0, loop: loop)
      #expect(listener.addresses.allSatisfy { $0.port == listener.port })
      async let echo: Void = loop.run { _ in
        let stream = try await listener.accept()
        let (bytes, clean) = try await drain(stream)
        #expect(clean)
        try await stream.writeAll(bytes.reversed(), deadline: nil)
        stream.shutdown()
      }
      let sent = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      let endpoint = Endpoint(host: host, port: listener.port, security: .plaintext)
      let deadline = loop.deadline(after: .seconds(30))
      let stream = try await Self.connector.connect(to: endpoint, on: loop, deadline: deadline)
      try await stream.writeAll(sent, deadline: deadline)
      stream.shutdown()
      let (bytes, clean) = try await drain(stream, chunk: 777, deadline: deadline)
      try await echo
      #expect(bytes == sent.reversed())
      #expect(clean)
    }
  }

  @Test func `A refused port is named, with what to look at`() async throws {
    try await withLoop { _, loop in
      let listener = try Listener(loopback: 0, loop: loop)
      let port = listener.port
      listener.close()
      let error = await failure { _ = try await Self.connect(to: port, on: loop) }
      #expect(error?.code == .refused)
      #expect(error?.description.contains("127.0.0.1:\(port)") == true)
    }
  }

  @Test func `Accepting ends when the listener is closed or the task cancelled`() async throws {
    try await withLoop { _, loop in
      let listener = try Listener(loopback: 0, loop: loop)
      let accepting = Task { await failure { _ = try await listener.accept() } }
      while !loop.state.withLock({ $0.waits.count == 1 }) { await Task.yield() }
      accepting.cancel()
      #expect(await accepting.value?.code == .cancelled)
      let closing = Task { await failure { _ = try await listener.accept() } }
      while !loop.state.withLock({ $0.waits.count == 1 }) { await Task.yield() }
      listener.close()
      #expect(await closing.value?.code == .closed)
    }
  }

  @Test func `A port that is taken is refused`() async throws {
    try await withLoop { _, loop in
      let listener = try Listener(loopback: 0, loop: loop)
      let error = await failure { _ = try Listener(loopback: listener.port, loop: loop) }
      #expect(error?.errno == EADDRINUSE)
    }
  }

  @Test func `A silent peer ends a read by deadline, and a full socket a write`() async throws {
    try await withLoop { _, loop in
      let listener = try Listener(loopback: 0, loop: loop)
      let stream = try await Self.connect(to: listener.port, on: loop)
      let peer = try await listener.accept()
      let soon = loop.deadline(after: .milliseconds(20))
      #expect(
        await failure { _ = try await read(1, from: stream, deadline: soon) }?.code == .timedOut
      )
      #expect(loop.now >= soon)
      let later = loop.deadline(after: .milliseconds(50))
      let flood = [UInt8](repeating: 0, count: 64 << 20)
      #expect(
        await failure { try await stream.writeAll(flood, deadline: later) }?.code == .timedOut
      )
      withExtendedLifetime(peer) {}
    }
  }

  @Test func `Cancelling a task ends its read at once and leaves the stream whole`() async throws {
    try await withLoop { actor, loop in
      let listener = try Listener(loopback: 0, loop: loop)
      let stream = try await Self.connect(to: listener.port, on: loop)
      let peer = try await listener.accept()
      let waiting = Task { [stream] in
        _ = actor  // named, so that the task runs where the stream lives
        return await failure { _ = try await read(1, from: stream) }
      }
      while !loop.state.withLock({ $0.waits.count == 1 }) { await Task.yield() }
      waiting.cancel()
      #expect(await waiting.value?.code == .cancelled)
      try await peer.writeAll([7], deadline: nil)
      #expect(try await read(1, from: stream) == [7])
    }
  }

  @Test func `Closing ends the waits of other tasks, and later calls fail`() async throws {
    try await withLoop { actor, loop in
      let listener = try Listener(loopback: 0, loop: loop)
      let stream = try await Self.connect(to: listener.port, on: loop)
      let waiting = Task { [stream] in
        _ = actor  // named, so that the task runs where the stream lives
        return await failure { _ = try await read(1, from: stream) }
      }
      while !loop.state.withLock({ $0.waits.count == 1 }) { await Task.yield() }
      stream.close()
      stream.close()
      #expect(await waiting.value?.code == .closed)
      #expect(await failure { try await stream.writeAll([1], deadline: nil) }?.code == .closed)
      #expect(loop.state.withLock { $0.waits.isEmpty })
    }
  }

  @Test func `Writing to a peer that has reset is an error and no signal`() async throws {
    try await withLoop { _, loop in
      let listener = try Listener(loopback: 0, loop: loop)
      let stream = try await Self.connect(to: listener.port, on: loop)
      // A socket closed with unread bytes sends a reset.
      try await stream.writeAll([1, 2, 3], deadline: nil)
      let peer = try await listener.accept()
      try await peer.waitUntilReadable(deadline: nil)
      peer.close()
      let deadline = loop.deadline(after: .seconds(10))
      let error = await failure {
        _ = try await read(1, from: stream, deadline: deadline)
        let flood = [UInt8](repeating: 0, count: 1 << 20)
        while true { try await stream.writeAll(flood, deadline: deadline) }
      }
      #expect(error?.code == .reset)
    }
  }

  /// A resolver that says what it was told to, or nothing ever.
  private struct FixedResolver: Resolver {
    var names: [String]?

    func addresses(
      of host: String,
      port: UInt16,
      on loop: EventLoop,
      deadline: Int64?
    ) async throws(TransportError) -> [SocketAddress] {
      guard let names else {
        try? await loop.sleep(until: deadline ?? .max)
        throw TransportError(.nameLookupTimedOut, "\(host) was not looked up in time")
      }
      return names.compactMap { SocketAddress(literal: $0, port: port) }
    }
  }

  @Test func `The next address is tried when the first refuses`() async throws {
    try await withLoop { _, loop in
      let address = try #require(SocketAddress(literal: "127.0.0.1", port: 0))
      let listener = try Listener(on: address, loop: loop)
      let connector = NetworkConnector(resolver: FixedResolver(names: ["::1", "127.0.0.1"]))
      let stream = try await connector.open(
        host: "two.example",
        port: listener.port,
        on: loop,
        deadline: loop.deadline(after: .seconds(10))
      )
      #expect((stream as? TCPStream)?.peer.host == "127.0.0.1")
      #expect(loop.state.withLock { $0.sources.count } == 2, "the loser is gone from the loop")
    }
  }

  @Test func `A resolver without an answer ends at the deadline`() async throws {
    try await withLoop { _, loop in
      let connector = NetworkConnector(resolver: FixedResolver(names: nil))
      let deadline = loop.deadline(after: .milliseconds(30))
      let error = await failure {
        _ = try await connector.open(host: "x.example", port: 1, on: loop, deadline: deadline)
      }
      #expect(error?.code == .nameLookupTimedOut)
      #expect(loop.now >= deadline)
    }
  }

  @Test func `A host that never answers ends at the deadline and says which addresses`()
    async throws
  {
    try await withLoop { _, loop in
      let connector = NetworkConnector(resolver: FixedResolver(names: []))
      let error = await failure {
        _ = try await connector.open(host: "none.example", port: 1, on: loop, deadline: nil)
      }
      #expect(error?.code == .unreachable)
    }
  }
}
