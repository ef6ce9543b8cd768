// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1
package import Transport

extension HTTPProxy {
  /// How many interim answers a proxy may send before the final one (RFC 9110 §15.2).
  private static let mostInterimAnswers = 8

  /// Asks the proxy at the other end of a stream for a tunnel.
  ///
  /// On return the stream leads to the URL's server: TLS, where the URL asks for it, comes next.
  ///
  /// - Parameters:
  ///   - url: Where the tunnel is to lead.
  ///   - stream: A fresh connection to the proxy; of no use after an error.
  ///   - deadline: The monotonic time to give up at.
  /// - Throws: ``TunnelError``.
  package func openTunnel(
    to url: WebURL,
    over stream: any ByteStream,
    deadline: Int64?
  ) async throws(TunnelError) {
    let request: [UInt8]
    do { request = try self.request(for: url).message() } catch {
      throw TunnelError(.invalidRequest, self, "\(error)", message: error)
    }
    do { try await stream.writeAll(request, deadline: deadline) } catch {
      throw TunnelError(.connection, self, "\(error)", transport: error)
    }
    try check(try await readAnswer(from: stream, deadline))
  }

  /// Any 2xx opens the tunnel, and nothing but the tunnel follows (RFC 9112 §6.3).
  private func check(_ answer: ResponseHead) throws(TunnelError) {
    switch answer.status {
    case 200...299: return
    case 407:
      let text = "it wants a user and a password, or others (407)"
      throw TunnelError(.authentication, self, text, status: 407)
    case let status:
      throw TunnelError(.refused, self, "it opens no tunnel there (\(status))", status: status)
    }
  }

  private func readAnswer(
    from stream: any ByteStream,
    _ deadline: Int64?
  ) async throws(TunnelError) -> ResponseHead {
    var parser = ResponseHeadParser()
    var interim = 0
    var buffer = [UInt8](repeating: 0, count: 4096)
    while interim <= Self.mostInterimAnswers {
      let count = try await read(from: stream, into: &buffer, deadline)
      var start = 0
      while start < count {
        do throws(HTTPError) {
          let (consumed, head) = try parser.parse(buffer.span.extracting(start..<count))
          start += consumed
          guard let head else { continue }
          guard !head.isInterim else {
            interim += 1
            continue
          }
          // The server cannot have spoken yet: TLS and HTTP both begin with the client.
          guard start == count || head.status >= 300 else {
            throw HTTPError(.notHTTP, "bytes after the answer to CONNECT")
          }
          return head
        } catch {
          throw TunnelError(.invalidAnswer, self, "\(error)", message: error)
        }
      }
    }
    let error = HTTPError(.tooManyInterimResponses)
    throw TunnelError(.invalidAnswer, self, "\(error)", message: error)
  }

  /// Reads once, waiting first if there is nothing; returns how many bytes came.
  private func read(
    from stream: any ByteStream,
    into buffer: inout [UInt8],
    _ deadline: Int64?
  ) async throws(TunnelError) -> Int {
    do throws(TransportError) {
      while true {
        let result = try buffer.withUnsafeMutableBufferPointer { buffer throws(TransportError) in
          try stream.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        switch result {
        case .bytes(let count): return count
        case .wouldBlock: try await stream.waitUntilReadable(deadline: deadline)
        case .end: throw TransportError(.reset, "it ended the connection without an answer")
        }
      }
    } catch {
      throw TunnelError(.connection, self, "\(error)", transport: error)
    }
  }
}
