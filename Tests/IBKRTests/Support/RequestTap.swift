// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Transport

/// A network that notes the first line and the authorisation of every request that goes through it.
final class RequestTap: Connector {
  struct Seen: Sendable, Equatable {
    /// As `POST tickle`; a query is left out.
    var call: String
    var target: String
    var authorization: String?
    var userAgent: String?
    var body = ""
    /// Monotonic, in nanoseconds.
    var time: Int64
  }

  private let network: MemoryNetwork
  private let seen = Locked<[Seen]>([])

  init(_ network: MemoryNetwork) { self.network = network }

  /// Everything that was requested, in order.
  var requests: [Seen] { seen.withLock { $0 } }
  /// The same in short.
  var calls: [String] { requests.map(\.call) }

  fileprivate func note(_ text: String, at time: Int64) {
    let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
    let lines = parts[0].split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count == 3, words[2] == "HTTP/1.1" else { return }
    func field(_ name: String) -> String? {
      lines.first { $0.lowercased().hasPrefix(name + ":") }
        .map { String($0.dropFirst(name.utf8.count + 2)) }
    }
    let target = String(words[1])
    let path = target.prefix { $0 != "?" }.dropFirst("/v1/api/".utf8.count)
    seen.withLock {
      $0.append(
        Seen(
          call: "\(words[0]) \(path)",
          target: target,
          authorization: field("authorization"),
          userAgent: field("user-agent"),
          body: parts.count > 1 ? String(parts[1]) : "",
          time: time
        )
      )
    }
  }

  func open(
    host: String,
    port: UInt16,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> sending any ByteStream {
    let stream = try await network.open(host: host, port: port, on: loop, deadline: deadline)
    return TappedStream(stream, self, loop)
  }

  func connect(
    to endpoint: Endpoint,
    on loop: EventLoop,
    deadline: Int64?
  ) async throws(TransportError) -> sending any ByteStream {
    try await open(host: endpoint.host, port: endpoint.port, on: loop, deadline: deadline)
  }

  func secure(
    _ stream: any ByteStream,
    context: TLSContext,
    host: String,
    deadline: Int64?
  ) async throws(TransportError) -> any ByteStream {
    stream
  }
}

private final class TappedStream: ByteStream {
  private let base: any ByteStream
  private let tap: RequestTap
  private let loop: EventLoop

  init(_ base: sending any ByteStream, _ tap: RequestTap, _ loop: EventLoop) {
    self.base = base
    self.tap = tap
    self.loop = loop
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> IOResult {
    try base.read(into: buffer)
  }

  func write(_ buffer: UnsafeRawBufferPointer) throws(TransportError) -> IOResult {
    let result = try base.write(buffer)
    // A request is one write; nothing else begins with a method and a version.
    if case .bytes(let count) = result {
      tap.note(String(decoding: buffer.prefix(count), as: UTF8.self), at: loop.now)
    }
    return result
  }

  func waitUntilReadable(deadline: Int64?) async throws(TransportError) {
    try await base.waitUntilReadable(deadline: deadline)
  }

  func waitUntilWritable(deadline: Int64?) async throws(TransportError) {
    try await base.waitUntilWritable(deadline: deadline)
  }

  func shutdown() { base.shutdown() }
  func close() { base.close() }
}
