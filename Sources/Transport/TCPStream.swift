// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// A TCP connection.
///
/// Its end is always clean: FIN is all that TCP can say.
package final class TCPStream: ByteStream {
  /// The other side's address.
  package let peer: SocketAddress

  let loop: EventLoop
  private let source: EventLoop.SourceID
  /// Gone when the stream is closed, and the descriptor with it.
  private var socket: FileDescriptor?

  /// Takes over a connected, non-blocking socket.
  ///
  /// - Parameters:
  ///   - socket: The socket.
  ///   - source: Its registration with the loop.
  ///   - peer: The other side's address.
  ///   - loop: The loop.
  init(
    _ socket: consuming FileDescriptor,
    _ source: EventLoop.SourceID,
    peer: SocketAddress,
    on loop: EventLoop
  ) {
    self.socket = consume socket
    self.source = source
    self.peer = peer
    self.loop = loop
  }

  deinit { close() }

  /// The descriptor, for a TLS session that lives no longer than the stream.
  func descriptor() throws(TransportError) -> Int32 {
    guard let raw = socket?.raw else { throw .closed("the connection to \(peer)") }
    return raw
  }

  package func read(
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(TransportError) -> IOResult {
    let raw = try descriptor()
    while true {
      let count = recv(raw, buffer.baseAddress, buffer.count, 0)
      if count > 0 { return .bytes(count) }
      if count == 0 { return .end(clean: true) }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      default: throw .system("reading from \(peer)")
      }
    }
  }

  package func write(_ buffer: UnsafeRawBufferPointer) throws(TransportError) -> IOResult {
    let raw = try descriptor()
    while true {
      let count = send(raw, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
      if count >= 0 { return .bytes(count) }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      default: throw .system("writing to \(peer)")
      }
    }
  }

  package func waitUntilReadable(deadline: Int64?) async throws(TransportError) {
    try await wait(.readable, deadline: deadline, "reading from \(peer)")
  }

  package func waitUntilWritable(deadline: Int64?) async throws(TransportError) {
    try await wait(.writable, deadline: deadline, "writing to \(peer)")
  }

  /// Waits for one direction; TLS may read when it wants to write.
  func wait(
    _ direction: EventLoop.Direction,
    deadline: Int64?,
    _ what: @autoclosure () -> String
  ) async throws(TransportError) {
    try await loop.wait(for: [source], direction, deadline: deadline).check(what())
  }

  package func shutdown() {
    guard let raw = socket?.raw else { return }
    _ = Glibc.shutdown(raw, Int32(SHUT_WR))
  }

  package func close() {
    guard socket != nil else { return }
    loop.close(source)
    socket = nil
  }
}
