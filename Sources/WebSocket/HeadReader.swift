// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import HTTP1
internal import Transport

/// Reads the heads of HTTP answers from a stream, and keeps what comes behind them.
///
/// It serves the upgrade and a proxy's answer to CONNECT.
struct HeadReader {
  /// A server may send interim answers first (RFC 9110 section 15.2), but not for ever.
  private static let mostInterimAnswers = 8

  let stream: any ByteStream
  let deadline: Int64

  /// What was read behind the head.
  private(set) var leftover: ArraySlice<UInt8> = []

  private var buffer = [UInt8](repeating: 0, count: 1 << 14)

  init(_ stream: any ByteStream, deadline: Int64) {
    self.stream = stream
    self.deadline = deadline
  }

  /// Reads until the head of the final answer is complete.
  mutating func read() async throws(WebSocketError) -> ResponseHead {
    var parser = ResponseHeadParser()
    var interim = 0
    while interim <= Self.mostInterimAnswers {
      guard let bytes = try await nextBytes() else {
        throw WebSocketError(
          .handshake,
          parser.isInsideHead
            ? "the peer ended the connection inside its HTTP answer"
            : "the peer ended the connection without an answer"
        )
      }
      leftover = bytes
      while !leftover.isEmpty {
        do throws(HTTPError) {
          let (consumed, head) = try parser.parse(leftover.span)
          leftover = leftover.dropFirst(consumed)
          guard let head else { continue }
          if !head.isInterim { return head }
          interim += 1
        } catch {
          throw WebSocketError(.handshake, "the answer to the upgrade is not HTTP/1.1: \(error)")
        }
      }
    }
    throw WebSocketError(.handshake, "the server sends interim answers without an end")
  }

  /// Reads the start of the body of an answer that is an error, as far as it comes at once.
  ///
  /// - Parameter most: How many bytes at most.
  /// - Returns: The bytes.
  mutating func bodyExcerpt(upTo most: Int) async -> [UInt8] {
    var excerpt = Array(leftover.prefix(most))
    while excerpt.count < most, let bytes = try? await nextBytes(), !bytes.isEmpty {
      excerpt += bytes.prefix(most - excerpt.count)
    }
    return excerpt
  }

  /// The next bytes, or nil at the end of the stream.
  private mutating func nextBytes() async throws(WebSocketError) -> ArraySlice<UInt8>? {
    while true {
      do throws(TransportError) {
        switch try readSome() {
        case .bytes(let count): return buffer[..<count]
        case .end: return nil
        case .wouldBlock: try await stream.waitUntilReadable(deadline: deadline)
        }
      } catch {
        throw WebSocketError(handshake: error)
      }
    }
  }

  private mutating func readSome() throws(TransportError) -> IOResult {
    try buffer.withUnsafeMutableBufferPointer { (space) throws(TransportError) in
      try stream.read(into: UnsafeMutableRawBufferPointer(space))
    }
  }
}

extension WebSocketError {
  /// The error of a stream that failed before the WebSocket was open.
  init(handshake error: TransportError) {
    switch error.code {
    case .timedOut, .nameLookupTimedOut:
      self.init(
        .handshakeTimedOut,
        "the connection was not open before its deadline: \(error)",
        transport: error
      )
    case .cancelled:
      self.init(.cancelled, "connecting was cancelled", transport: error)
    default:
      self.init(.connect, "cannot connect: \(error)", transport: error)
    }
  }
}
