// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct ResolverTests {
  @Test(arguments: [
    ("127.0.0.1", "127.0.0.1:5000"), ("::1", "[::1]:5000"), ("0:0:0:0:0:0:0:1", "[::1]:5000"),
    ("fe80::1", "[fe80::1]:5000"),
  ])
  func `An address is not looked up`(literal: String, description: String) async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let resolver = SystemResolver()
    let found = try await resolver.addresses(of: literal, port: 5_000, on: loop, deadline: nil)
    #expect(found.map(\.description) == [description])
  }

  @Test func `The loopback name has a loopback address`() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let found = try await SystemResolver.shared.addresses(
      of: "localhost",
      port: 80,
      on: loop,
      deadline: nil
    )
    #expect(found.contains { ["127.0.0.1", "::1"].contains($0.host) })
    #expect(Set(found).count == found.count)
  }

  @Test func `A name that cannot be is refused and named`() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let resolver = SystemResolver()
    let error = await #expect(throws: TransportError.self) {
      try await resolver.addresses(of: "no host", port: 80, on: loop, deadline: nil)
    }
    #expect(error?.description.contains("no host") == true)
    #expect(resolver.threadsInUse == 0)
  }

  @Test func `More look-ups than threads all get their answer`() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let resolver = SystemResolver()
    let found = try await withThrowingTaskGroup(of: Int.self) { group in
      for port in 1...UInt16(10 * SystemResolver.maximumThreads) {
        group.addTask {
          try await resolver.addresses(of: "localhost", port: port, on: loop, deadline: nil).count
        }
      }
      return try await group.reduce(0) { $0 + ($1 > 0 ? 1 : 0) }
    }
    #expect(found == 10 * SystemResolver.maximumThreads)
    #expect(resolver.threadsInUse == 0)
  }

  @Test func `A cancelled look-up ends at once`() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let task = Task {
      try await SystemResolver().addresses(of: "localhost", port: 80, on: loop, deadline: nil)
    }
    task.cancel()
    // It may have been quicker than the cancellation; then it has an answer.
    let result = await task.result
    if case .failure(let error) = result {
      #expect((error as? TransportError)?.code == .cancelled)
    }
  }

  @Test(arguments: ["", "localhost", "1.2.3", "::g", "[::1]", "127.0.0.1 "])
  func `What is no address is not read as one`(text: String) {
    #expect(SocketAddress(literal: text, port: 1) == nil)
  }

  @Test(arguments: ["127.0.0.1", "::1", "2001:db8::7"])
  func `An address survives the way through the system's form`(literal: String) throws {
    let address = try #require(SocketAddress(literal: literal, port: 65_535))
    let back = address.withSystemAddress { SocketAddress($0, length: $1) }
    #expect(back == address)
  }
}

@Suite(.timeLimit(.minutes(1)), .serialized) struct SignalSourceTests {
  @Test func `A signal becomes a value`() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    // A signal that nothing else here uses, sent to one thread that has it blocked.
    let number = try await loop.run { _ in
      let source = try SignalSource([SIGUSR2], on: loop)
      pthread_kill(pthread_self(), SIGUSR2)
      return try await source.next()
    }
    #expect(number == SIGUSR2)
  }

  @Test func `Waiting for a signal can be cancelled`() async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let task = Task {
      try await loop.run { _ in try await SignalSource([SIGUSR2], on: loop).next() }
    }
    task.cancel()
    let result = await task.result
    #expect(throws: TransportError.self) { try result.get() }
  }
}
