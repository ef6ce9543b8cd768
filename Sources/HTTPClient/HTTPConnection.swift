// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Transport

/// One connection to a server, carrying one request at a time.
///
/// Not `Sendable`: it lives inside the client that opened it.
final class HTTPConnection {
  /// What ended an exchange without a response.
  struct Failure: Error {
    enum Cause {
      case transport(TransportError)
      case message(HTTPError)
      case deadline, ended, cancelled
    }

    let cause: Cause

    /// Whether a byte of a response had come.
    let sawResponse: Bool

    /// Whether the connection broke under the request, as one does that a server had given up.
    var isBroken: Bool {
      switch cause {
      case .ended: true
      case .transport(let error): error.code == .reset
      case .message, .deadline, .cancelled: false
      }
    }
  }

  let origin: String
  private(set) var idleUntil: Int64 = 0
  private let stream: any ByteStream
  private let loop: EventLoop
  private var buffer = [UInt8](repeating: 0, count: 16 << 10)

  init(_ stream: any ByteStream, to origin: String, on loop: EventLoop) {
    self.stream = stream
    self.origin = origin
    self.loop = loop
  }

  deinit { stream.close() }

  func close() { stream.close() }

  /// Notes that the connection is put away, and for how long at most.
  func rest(for duration: Duration) { idleUntil = loop.deadline(after: duration) }

  /// Whether the connection still waits for a request: no end, no error, and no byte that nobody
  /// asked for.
  func isQuiet() -> Bool { (try? read()) == .wouldBlock }

  /// Sends a request and reads its response.
  ///
  /// - Parameters:
  ///   - message: The request.
  ///   - method: Its method.
  ///   - limits: How large the response may be.
  ///   - deadline: The monotonic time to give up at.
  /// - Returns: The response; its `allowsReuse` says whether the connection is good for another.
  /// - Throws: ``Failure``; then the connection is closed.
  func exchange(
    _ message: [UInt8],
    answering method: HTTPMethod,
    limits: HTTPLimits,
    deadline: Int64
  ) async throws(Failure) -> HTTPResponse {
    var parser = ResponseParser(answering: method, limits: limits)
    var sawResponse = false
    do throws(Failure) {
      do { try await stream.writeAll(message, deadline: deadline) } catch {
        throw Failure(cause: .transport(error), sawResponse: false)
      }
      while true {
        guard !Task.isCancelled else { throw Failure(cause: .cancelled, sawResponse: sawResponse) }
        // A server that always has one more byte would never let a wait see the deadline.
        guard loop.now < deadline else {
          throw Failure(cause: .deadline, sawResponse: sawResponse)
        }
        if let response = try await step(&parser, &sawResponse, deadline) { return response }
      }
    } catch {
      stream.close()
      throw error
    }
  }

  /// Reads once, or waits once.
  private func step(
    _ parser: inout ResponseParser,
    _ sawResponse: inout Bool,
    _ deadline: Int64
  ) async throws(Failure) -> HTTPResponse? {
    do {
      switch try read() {
      case .bytes(let count):
        sawResponse = true
        let received = buffer
        let bytes = received.span.extracting(first: count)
        let (consumed, response) = try parser.parse(bytes)
        // Bytes after the response answer nothing: the next request would take them for its own.
        return consumed == count ? response : response?.withoutReuse
      case .wouldBlock:
        try await stream.waitUntilReadable(deadline: deadline)
        return nil
      case .end(let clean):
        guard clean, sawResponse else { throw Failure(cause: .ended, sawResponse: sawResponse) }
        return try parser.endOfConnection()
      }
    } catch let error as TransportError {
      throw Failure(cause: .transport(error), sawResponse: sawResponse)
    } catch let error as HTTPError {
      throw Failure(cause: .message(error), sawResponse: sawResponse)
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(cause: .ended, sawResponse: sawResponse)
    }
  }

  private func read() throws(TransportError) -> IOResult {
    try buffer.withUnsafeMutableBufferPointer { buffer throws(TransportError) in
      try stream.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
  }
}
