// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// What comes out of a descriptor that does not block, such as a terminal's keys.
package final class DescriptorReader: Sendable {
  private let descriptor: Int32
  private let loop: EventLoop
  private let source: EventLoop.SourceID

  /// Begins to watch a descriptor, which stays its owner's and must outlive this.
  ///
  /// - Parameters:
  ///   - descriptor: A descriptor with `O_NONBLOCK` of a kind that `epoll` takes: no regular file.
  ///   - loop: A loop on the machine's clocks.
  /// - Throws: `TransportError` if the system does not watch it.
  package init(_ descriptor: Int32, on loop: EventLoop) throws(TransportError) {
    self.descriptor = descriptor
    self.loop = loop
    source = try loop.open(descriptor: descriptor)
  }

  deinit { loop.close(source) }

  /// Waits for the next bytes.
  ///
  /// - Returns: What has come; empty at the end.
  /// - Throws: `TransportError`, with `cancelled` or `closed` if the wait ended otherwise.
  package func next() async throws(TransportError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 256)
    while true {
      let count = read(descriptor, &bytes, bytes.count)
      if count >= 0 { return Array(bytes[..<count]) }
      guard errno == EAGAIN || errno == EINTR else { throw .system("read") }
      switch await loop.wait(for: [source]) {
      case .ready, .timedOut: continue
      case .cancelled: throw .cancelled("waiting for a key")
      case .closed: throw .closed("the event loop")
      }
    }
  }
}
