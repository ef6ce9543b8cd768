// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(5)))
struct MemoryStreamTests {
  private static let start = Timestamp(realtime: 0, monotonic: 0, boot: 0)

  @Test(arguments: [1, 7, 64, 1_024], [1, 5, 4_096])
  func `Every byte arrives, through pipes of any size`(capacity: Int, chunk: Int) async throws {
    let loop = try EventLoop(virtual: Self.start)
    defer { loop.stop() }
    let link = MemoryLink(capacity: capacity)
    let sent = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    async let received = loop.run { _ in
      try await drain(MemoryStream(link, .server, on: loop), chunk: chunk)
    }
    try await loop.run { _ in
      let stream = MemoryStream(link, .client, on: loop)
      try await stream.writeAll(sent, deadline: nil)
      stream.shutdown()
      stream.close()
    }
    let (bytes, clean) = try await received
    #expect(bytes == sent)
    #expect(clean)
  }

  @Test func `The two ends may live on two loops`() async throws {
    let left = try EventLoop(name: "left")
    let right = try EventLoop(name: "right")
    defer {
      left.stop()
      right.stop()
    }
    let link = MemoryLink(capacity: 100)
    async let echoed: Void = right.run { _ in
      let stream = MemoryStream(link, .server, on: right)
      let (bytes, _) = try await drain(stream, chunk: 64)
      try await stream.writeAll(bytes.reversed(), deadline: nil)
      stream.shutdown()
    }
    let sent = (0..<5_000).map { UInt8(truncatingIfNeeded: $0) }
    let answer = try await left.run { _ in
      let stream = MemoryStream(link, .client, on: left)
      try await stream.writeAll(sent, deadline: nil)
      stream.shutdown()
      return try await drain(stream, chunk: 64).bytes
    }
    try await echoed
    #expect(answer == sent.reversed())
  }

  @Test func `Closing without shutdown is an unclean end, after what was sent`() async throws {
    let loop = try EventLoop(virtual: Self.start)
    defer { loop.stop() }
    let (bytes, clean) = try await loop.run { _ in
      let link = MemoryLink()
      let client = MemoryStream(link, .client, on: loop)
      try await client.writeAll([1, 2, 3], deadline: nil)
      client.close()
      return try await drain(MemoryStream(link, .server, on: loop), chunk: 2)
    }
    #expect(bytes == [1, 2, 3])
    #expect(!clean)
  }

  @Test func `Waits end by deadline, by cancellation and by closing`() async throws {
    let loop = try EventLoop(virtual: Self.start)
    defer { loop.stop() }
    let codes = await loop.run { _ -> [TransportError.Code?] in
      let stream = MemoryStream(MemoryLink(), .client, on: loop)
      // The first wait returns at once: a new stream counts as ready until it was tried.
      try? await stream.waitUntilReadable(deadline: nil)
      let late = await failure {
        try await stream.waitUntilReadable(deadline: loop.deadline(after: .seconds(5)))
      }
      let cancelled = await failure {
        withUnsafeCurrentTask { $0?.cancel() }
        try await stream.waitUntilReadable(deadline: nil)
      }
      stream.close()
      stream.close()
      let closed = await failure { try await stream.waitUntilReadable(deadline: nil) }
      return [late?.code, cancelled?.code, closed?.code]
    }
    #expect(codes == [.timedOut, .cancelled, .closed])
    #expect(loop.now == 5_000_000_000)
  }

  @Test func `A reset fails both ends, a stall neither moves nor fails`() async throws {
    let loop = try EventLoop(virtual: Self.start)
    defer { loop.stop() }
    try await loop.run { _ in
      let link = MemoryLink()
      let client = MemoryStream(link, .client, on: loop)
      let server = MemoryStream(link, .server, on: loop)
      try await client.writeAll([9], deadline: nil)
      var buffer: [UInt8] = [0, 0]
      link.stall(true)
      #expect(try buffer.withUnsafeMutableBytes { try server.read(into: $0) } == .wouldBlock)
      link.stall(false)
      #expect(try buffer.withUnsafeMutableBytes { try server.read(into: $0) } == .bytes(1))
      link.reset()
      for stream in [client, server] {
        #expect { try buffer.withUnsafeMutableBytes { try stream.read(into: $0) } } throws: {
          ($0 as? TransportError)?.code == .reset
        }
        #expect { try buffer.withUnsafeBytes { try stream.write($0) } } throws: {
          ($0 as? TransportError)?.code == .reset
        }
      }
    }
  }
}
