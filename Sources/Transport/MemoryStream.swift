// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// A connection in memory: two streams, of which each reads what the other writes.
///
/// The link may be passed around; each of its two ends is made where it will live. What is written
/// before the other end exists waits for it.
package final class MemoryLink: Sendable {
  /// The two ends; they differ in nothing but their names.
  package enum End: Sendable {
    case client, server
  }

  private struct Pipe: Sendable {
    var bytes: [UInt8]
    var head = 0
    var count = 0
    var end: IOResult?
  }

  private struct Seat: Sendable {
    let loop: EventLoop
    let source: EventLoop.SourceID
  }

  private struct State: Sendable {
    var toClient: Pipe
    var toServer: Pipe
    var client: Seat?
    var server: Seat?
    var isReset = false
    var isStalled = false
  }

  private let state: Locked<State>

  /// Makes a link.
  ///
  /// - Parameter capacity: How many bytes each direction holds before a writer must wait.
  package init(capacity: Int = 64 * 1024) {
    let pipe = Pipe(bytes: [UInt8](repeating: 0, count: max(1, capacity)))
    state = Locked(State(toClient: pipe, toServer: pipe))
  }

  /// Cuts the connection as a reset does: both ends fail from now on.
  package func reset() {
    state.withLock { $0.isReset = true }
    wakeBoth()
  }

  /// Makes the link swallow nothing and deliver nothing, as a network that has gone silent, or
  /// lets it go on.
  package func stall(_ isStalled: Bool) {
    state.withLock { $0.isStalled = isStalled }
    wakeBoth()
  }

  fileprivate func attach(_ end: End, _ loop: EventLoop, _ source: EventLoop.SourceID) {
    state.withLock { state in
      let seat = Seat(loop: loop, source: source)
      if end == .client { state.client = seat } else { state.server = seat }
    }
  }

  fileprivate func read(
    _ end: End,
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(TransportError) -> IOResult {
    let result = try state.withLock { state throws(TransportError) -> IOResult in
      guard !state.isReset else { throw TransportError(.reset, "the link in memory was reset") }
      guard !state.isStalled else { return .wouldBlock }
      return end == .client
        ? Self.take(from: &state.toClient, into: buffer)
        : Self.take(from: &state.toServer, into: buffer)
    }
    if case .bytes = result { wake(end.other, writable: true) }
    return result
  }

  fileprivate func write(
    _ end: End,
    _ buffer: UnsafeRawBufferPointer
  ) throws(TransportError) -> IOResult {
    let result = try state.withLock { state throws(TransportError) -> IOResult in
      guard !state.isReset else { throw TransportError(.reset, "the link in memory was reset") }
      guard !state.isStalled else { return .wouldBlock }
      return end == .client
        ? try Self.put(buffer, into: &state.toServer)
        : try Self.put(buffer, into: &state.toClient)
    }
    if case .bytes = result { wake(end.other, readable: true) }
    return result
  }

  fileprivate func finish(_ end: End, clean: Bool) {
    state.withLock { state in
      if end == .client {
        state.toServer.end = state.toServer.end ?? .end(clean: clean)
      } else {
        state.toClient.end = state.toClient.end ?? .end(clean: clean)
      }
    }
    wake(end.other, readable: true)
  }

  private static func take(
    from pipe: inout Pipe,
    into buffer: UnsafeMutableRawBufferPointer
  ) -> IOResult {
    guard pipe.count > 0 else { return pipe.end ?? .wouldBlock }
    let count = min(buffer.count, pipe.count, pipe.bytes.count - pipe.head)
    pipe.bytes.withUnsafeBytes { bytes in
      buffer.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[pipe.head..<pipe.head + count])
      )
    }
    pipe.head = (pipe.head + count) % pipe.bytes.count
    pipe.count -= count
    return .bytes(count)
  }

  private static func put(
    _ buffer: UnsafeRawBufferPointer,
    into pipe: inout Pipe
  ) throws(TransportError) -> IOResult {
    guard pipe.end == nil else { throw .closed("the stream in memory") }
    let tail = (pipe.head + pipe.count) % pipe.bytes.count
    let count = min(buffer.count, pipe.bytes.count - pipe.count, pipe.bytes.count - tail)
    guard count > 0 else { return .wouldBlock }
    pipe.bytes.withUnsafeMutableBytes { bytes in
      UnsafeMutableRawBufferPointer(rebasing: bytes[tail..<tail + count])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    pipe.count += count
    return .bytes(count)
  }

  private func wakeBoth() {
    for end in [End.client, .server] { wake(end, readable: true, writable: true) }
  }

  private func wake(_ end: End, readable: Bool = false, writable: Bool = false) {
    let seat = state.withLock { end == .client ? $0.client : $0.server }
    seat?.loop.signal(seat?.source.key ?? 0, readable: readable, writable: writable)
  }
}

extension MemoryLink.End {
  fileprivate var other: MemoryLink.End { self == .client ? .server : .client }
}

/// One end of a connection in memory.
///
/// It behaves as TLS does, as far as a stream shows it: after `shutdown()` the other side reads a
/// clean end, after `close()` alone an unclean one.
package final class MemoryStream: ByteStream {
  private let link: MemoryLink
  private let end: MemoryLink.End
  private let loop: EventLoop
  private let source: EventLoop.SourceID
  private var isClosed = false

  /// Makes one end of a link; each end can be made once.
  ///
  /// - Parameters:
  ///   - link: The link.
  ///   - end: Which end.
  ///   - loop: The loop of the actor that the stream will live in.
  package init(_ link: MemoryLink, _ end: MemoryLink.End, on loop: EventLoop) {
    self.link = link
    self.end = end
    self.loop = loop
    source = loop.openInMemory()
    link.attach(end, loop, source)
  }

  deinit { close() }

  package func read(
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(TransportError) -> IOResult {
    guard !isClosed else { throw .closed("the stream in memory") }
    return try link.read(end, into: buffer)
  }

  package func write(_ buffer: UnsafeRawBufferPointer) throws(TransportError) -> IOResult {
    guard !isClosed else { throw .closed("the stream in memory") }
    return try link.write(end, buffer)
  }

  package func waitUntilReadable(deadline: Int64?) async throws(TransportError) {
    try await loop.wait(for: [source], .readable, deadline: deadline).check("reading")
  }

  package func waitUntilWritable(deadline: Int64?) async throws(TransportError) {
    try await loop.wait(for: [source], .writable, deadline: deadline).check("writing")
  }

  package func shutdown() {
    link.finish(end, clean: true)
  }

  package func close() {
    guard !isClosed else { return }
    isClosed = true
    loop.close(source)
    link.finish(end, clean: false)
  }
}
