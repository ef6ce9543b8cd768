// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1
package import Transport

/// Requests out of a stream, and what was read behind the last one.
package struct RequestReader: ~Copyable {
  private var parser: RequestParser
  private var unread: [UInt8] = []
  private var piece = [UInt8](repeating: 0, count: 16_384)

  /// Begins with the first request of a connection.
  ///
  /// - Parameter bodyBytes: How long a request's body may be.
  package init(bodyBytes: Int = 1 << 20) {
    parser = RequestParser(limits: HTTPLimits(bodyBytes: bodyBytes))
  }

  /// Waits for the next request.
  ///
  /// - Parameters:
  ///   - stream: Where from.
  ///   - deadline: The monotonic time to give up at.
  /// - Returns: nil when the client has closed the connection.
  /// - Throws: `HTTPError` for bytes that are no request, `TransportError` for a broken stream.
  package mutating func next(
    from stream: any ByteStream,
    deadline: Int64?
  ) async throws -> HTTPRequest? {
    while true {
      let bytes = unread
      let (consumed, request) = try parser.parse(bytes.span)
      unread.removeFirst(consumed)
      if let request { return request }
      switch try piece.withUnsafeMutableBytes({ try stream.read(into: $0) }) {
      case .bytes(let count): unread += piece[..<count]
      case .wouldBlock: try await stream.waitUntilReadable(deadline: deadline)
      case .end: return nil
      }
    }
  }

  /// What came behind the last request: the first frames after an upgrade.
  package consuming func leftover() -> [UInt8] { unread }
}
