// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What became of a read or a write that does not block.
package enum IOResult: Sendable, Hashable {
  /// So many bytes were moved, at least one.
  case bytes(Int)
  /// None now: wait, then try again.
  case wouldBlock
  /// The other side will send no more. `clean` if it said so in a way that cannot be forged:
  /// for TLS by `close_notify` (RFC 8446 section 6.1); TCP alone has no other way than FIN, which
  /// counts as clean.
  case end(clean: Bool)
}

/// A connection that carries bytes both ways: TCP, TLS, or memory.
///
/// A stream lives inside one actor of its loop and is not `Sendable`. Reading and writing never
/// block: try first, and wait only when told to, since readiness is reported once.
///
/// ```swift
/// while true {
///   switch try stream.read(into: buffer) {
///   case .bytes(let count): …
///   case .wouldBlock: try await stream.waitUntilReadable(deadline: nil)
///   case .end(let clean): …
///   }
/// }
/// ```
package protocol ByteStream: AnyObject {
  /// Reads what is there.
  ///
  /// - Parameter buffer: Where to; not empty. TLS gives at most one record, 16 KiB, per call.
  /// - Returns: How many bytes, or why none.
  /// - Throws: `TransportError` if the connection broke.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> IOResult

  /// Writes what the connection takes now.
  ///
  /// After `.wouldBlock` the same bytes must be offered first next time: TLS may have encrypted
  /// them already.
  ///
  /// - Parameter buffer: What to write; not empty.
  /// - Returns: How many bytes were taken, or `.wouldBlock`; never `.end`.
  /// - Throws: `TransportError` if the connection broke.
  func write(_ buffer: UnsafeRawBufferPointer) throws(TransportError) -> IOResult

  /// Suspends until a read is worth trying.
  ///
  /// - Parameter deadline: The monotonic time to give up at.
  /// - Throws: `TransportError` with `.timedOut`, `.cancelled` or `.closed`.
  func waitUntilReadable(deadline: Int64?) async throws(TransportError)

  /// Suspends until a write is worth trying.
  ///
  /// - Parameter deadline: The monotonic time to give up at.
  /// - Throws: `TransportError` with `.timedOut`, `.cancelled` or `.closed`.
  func waitUntilWritable(deadline: Int64?) async throws(TransportError)

  /// Tells the other side that nothing more will be sent; reading goes on.
  func shutdown()

  /// Closes the connection at once. Waits end with `.closed`; more calls do nothing.
  func close()
}

extension ByteStream {
  /// Writes all of some bytes, waiting as often as it takes.
  ///
  /// - Parameters:
  ///   - bytes: What to write.
  ///   - deadline: The monotonic time to give up at; the stream is of no use then.
  /// - Throws: `TransportError` if the connection broke or the deadline came.
  package func writeAll(_ bytes: [UInt8], deadline: Int64?) async throws(TransportError) {
    var sent = 0
    while sent < bytes.count {
      switch try writeSome(bytes, from: sent) {
      case .bytes(let count): sent += count
      case .wouldBlock, .end: try await waitUntilWritable(deadline: deadline)
      }
    }
  }

  private func writeSome(_ bytes: [UInt8], from start: Int) throws(TransportError) -> IOResult {
    let result = bytes.withUnsafeBytes { buffer -> Result<IOResult, TransportError> in
      do throws(TransportError) {
        return .success(try write(UnsafeRawBufferPointer(rebasing: buffer[start...])))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

extension EventLoop.WaitOutcome {
  /// Turns every end of a wait but readiness into an error.
  func check(_ what: @autoclosure () -> String) throws(TransportError) {
    switch self {
    case .ready: return
    case .timedOut: throw TransportError(.timedOut, "\(what()) did not go on before its deadline")
    case .cancelled: throw .cancelled(what())
    case .closed: throw .closed(what())
    }
  }
}
