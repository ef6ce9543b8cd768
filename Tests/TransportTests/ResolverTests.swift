// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(5))) struct ResolverTests {
  typealias Answer = Result<[SocketAddress], TransportError>

  /// Blocks threads, as a name server does that never answers.
  ///
  /// `@unchecked Sendable`: a semaphore is made to be shared.
  private final class Silence: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
      sem_destroy(semaphore)
      semaphore.deallocate()
    }

    func wait() { sem_wait(semaphore) }

    func end() { for _ in 0..<100 { sem_post(semaphore) } }
  }

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

  /// A name server: what it says of each family, nil to say nothing for as long as the test lasts.
  private static func resolver(
    v6: Result<[SocketAddress], TransportError>?,
    v4: Result<[SocketAddress], TransportError>?,
    silence: Silence
  ) -> SystemResolver {
    SystemResolver { host, _, family in
      if let answer = family == .v6 ? v6 : v4 { return answer }
      silence.wait()
      return .failure(TransportError(.nameLookupFailed, "no answer for \(host)"))
    }
  }

  private static let six = SocketAddress(literal: "2001:db8::1", port: 1).map { [$0] } ?? []
  private static let four = SocketAddress(literal: "192.0.2.1", port: 1).map { [$0] } ?? []
  private static let nothing = TransportError(.nameNotFound, "nothing")
  private static let failed = TransportError(.nameLookupFailed, "failed")

  @Test(
    arguments: [
      (.success(six), .success(four), six + four), (.success(six), .failure(nothing), six),
      (.failure(failed), .success(four), four),
    ] as [(Answer, Answer, [SocketAddress])]
  )
  func `Both families are asked for, IPv6 stands first`(
    v6: Answer,
    v4: Answer,
    expected: [SocketAddress]
  ) async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let silence = Silence()
    let resolver = Self.resolver(v6: v6, v4: v4, silence: silence)
    #expect(try await resolver.addresses(of: "x", port: 1, on: loop, deadline: nil) == expected)
    silence.end()
  }

  @Test(arguments: [true, false])
  func `A name server that is silent about one family does not hold up the other`(
    isV6Silent: Bool
  ) async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let silence = Silence()
    let resolver = Self.resolver(
      v6: isV6Silent ? nil : .success(Self.six),
      v4: isV6Silent ? .success(Self.four) : nil,
      silence: silence
    )
    let started = loop.now
    let found = try await resolver.addresses(of: "x", port: 1, on: loop, deadline: nil)
    #expect(found == (isV6Silent ? Self.four : Self.six))
    #expect(loop.now - started >= SystemResolver.resolutionDelay)
    silence.end()
  }

  @Test func `No answer at all ends at the deadline and leaves no more than its threads`()
    async throws
  {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let silence = Silence()
    let resolver = Self.resolver(v6: nil, v4: nil, silence: silence)
    for _ in 0..<4 {
      let error = await #expect(throws: TransportError.self) {
        try await resolver.addresses(of: "x", port: 1, on: loop, deadline: loop.now + 1_000_000)
      }
      #expect(error?.code == .nameLookupTimedOut)
      #expect(resolver.threadsInUse <= SystemResolver.maximumThreads)
    }
    silence.end()
  }

  @Test(
    arguments: [
      (nothing, nothing, .nameNotFound), (nothing, failed, .nameLookupFailed),
      (failed, nothing, .nameLookupFailed),
    ] as [(TransportError, TransportError, TransportError.Code)]
  )
  func `A name is missing only if both families say so`(
    v6: TransportError,
    v4: TransportError,
    expected: TransportError.Code
  ) async throws {
    let loop = try EventLoop(name: "test")
    defer { loop.stop() }
    let silence = Silence()
    let resolver = Self.resolver(v6: .failure(v6), v4: .failure(v4), silence: silence)
    let error = await #expect(throws: TransportError.self) {
      try await resolver.addresses(of: "x", port: 1, on: loop, deadline: nil)
    }
    #expect(error?.code == expected)
    silence.end()
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

@Suite(.timeLimit(.minutes(5)), .serialized) struct SignalSourceTests {
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
