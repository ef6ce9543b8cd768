// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Transport
import WebSocketProtocol

/// The other end of a connection under test: says exactly what a test wants it to say.
actor ScriptedPeer {
  private nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private let link: MemoryLink
  private lazy var stream: any ByteStream = MemoryStream(link, .server, on: loop)
  private var input: [UInt8] = []

  /// The request that came, once there was one.
  private(set) var request: RequestHead?

  init(_ link: MemoryLink, on loop: EventLoop) {
    self.link = link
    self.loop = loop
  }

  /// Reads the request up to its end.
  func readRequest() async throws {
    var parser = RequestHeadParser()
    while request == nil {
      let bytes = try await read()
      let (consumed, head) = try parser.parse(bytes.span)
      request = head
      input += bytes.dropFirst(consumed)
    }
  }

  /// Answers the upgrade as it should be, with more bytes behind it in the same write.
  func acceptUpgrade(
    deflate: PerMessageDeflate? = nil,
    subprotocols: [String] = [],
    followedBy more: [UInt8] = []
  ) async throws {
    try await readRequest()
    guard let request else { return }
    let handshake = try ServerHandshake(request, subprotocols: subprotocols, deflate: deflate)
    var answer: [UInt8] = []
    handshake.response.write(to: &answer)
    try await write(answer + more)
  }

  /// Reads the request and answers with this text.
  func answer(_ text: String) async throws {
    try await readRequest()
    try await write(Array(text.utf8))
  }

  func write(_ bytes: [UInt8]) async throws {
    try await stream.writeAll(bytes, deadline: nil)
  }

  /// Reads so many bytes, or fewer if the stream ends before.
  func read(_ count: Int) async throws -> [UInt8] {
    while input.count < count {
      let bytes = try await read()
      guard !bytes.isEmpty else { break }
      input += bytes
    }
    defer { input = Array(input.dropFirst(count)) }
    return Array(input.prefix(count))
  }

  /// Reads what there is to read; nothing at the end of the stream.
  private func read() async throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      switch try buffer.withUnsafeMutableBytes({ try stream.read(into: $0) }) {
      case .bytes(let count): return Array(buffer[..<count])
      case .wouldBlock: try await stream.waitUntilReadable(deadline: nil)
      case .end: return []
      }
    }
  }

  /// Reads and drops everything until the stream ends.
  func readToEnd() async throws {
    while try await !read().isEmpty {}
  }

  func shutdown() {
    stream.shutdown()
  }

  func close() {
    stream.close()
  }
}
