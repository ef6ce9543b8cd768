// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1
package import Transport

/// Sends HTTP/1.1 requests over connections that it keeps open between them.
///
/// Every request has one deadline for all of its parts, every part of a response has a limit, and
/// redirects are answers like others: following one would carry the caller's credentials to a
/// place that the server chose.
package actor HTTPClient {
  /// Makes a connection to the URL's host and port, TLS included, before a deadline.
  package typealias Dial =
    nonisolated(nonsending) @Sendable (_ url: WebURL, _ deadline: Int64) async throws ->
    any ByteStream

  /// What does not change from request to request.
  package struct Configuration: Sendable {
    /// Sent with every request; IBKR refuses requests without it.
    package var userAgent: String

    /// How large a response may be.
    package var limits: HTTPLimits

    /// How many connections are kept while they have nothing to do; the oldest go first.
    package var idleConnections: Int

    /// How long a connection is kept while it has nothing to do.
    package var idleTimeout: Duration

    package init(
      userAgent: String = "ibkr-stream",
      limits: HTTPLimits = HTTPLimits(),
      idleConnections: Int = 4,
      idleTimeout: Duration = .seconds(90)
    ) {
      self.userAgent = userAgent
      self.limits = limits
      self.idleConnections = idleConnections
      self.idleTimeout = idleTimeout
    }
  }

  /// The loop whose thread runs this actor.
  package nonisolated let loop: EventLoop

  private let configuration: Configuration
  private let dial: Dial
  private var idle: [HTTPConnection] = []
  private var sweep: TimerToken?
  private var isClosed = false

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    loop.asUnownedSerialExecutor()
  }

  /// - Parameters:
  ///   - loop: Where the client lives.
  ///   - configuration: What does not change from request to request.
  ///   - dial: How a connection is made.
  package init(
    loop: EventLoop,
    configuration: Configuration = Configuration(),
    dial: @escaping Dial
  ) {
    self.loop = loop
    self.configuration = configuration
    self.dial = dial
  }

  /// Closes the connections that are kept; requests from now on fail.
  package func close() {
    isClosed = true
    idle.removeAll()
    if let sweep { loop.cancel(sweep) }
    sweep = nil
  }

  /// How many connections are kept, for tests.
  var idleCount: Int { idle.count }

  /// Sends a request and reads its whole response, whatever its status.
  ///
  /// A connection that was kept from an earlier request is used if there is one. If it turns out
  /// to be dead before any byte of a response came, a repeatable request is sent once more, over a
  /// new connection; nothing else is ever sent twice.
  ///
  /// - Parameter request: The request.
  /// - Returns: The response, its body decompressed.
  /// - Throws: ``HTTPClientError``. Cancelling the task closes the request's connection at once.
  package func send(
    _ request: HTTPClientRequest
  ) async throws(HTTPClientError) -> HTTPResponse {
    guard !isClosed else { throw HTTPClientError(.closed, request, mayHaveReached: false) }
    let message: [UInt8]
    do { message = try request.message(userAgent: configuration.userAgent) } catch {
      throw HTTPClientError(.invalidRequest, request, mayHaveReached: false, message: error)
    }
    let deadline = loop.deadline(after: request.timeout)
    if let kept = takeIdle(for: request.url.origin) {
      do {
        return try await exchange(message, request, on: kept, deadline)
      } catch {
        guard request.isRepeatable, error.isBroken, !error.sawResponse else {
          throw error.described(for: request)
        }
      }
    }
    let fresh = try await open(request, deadline)
    do { return try await exchange(message, request, on: fresh, deadline) } catch {
      throw error.described(for: request)
    }
  }

  private func exchange(
    _ message: [UInt8],
    _ request: HTTPClientRequest,
    on connection: HTTPConnection,
    _ deadline: Int64
  ) async throws(HTTPConnection.Failure) -> HTTPResponse {
    let response = try await connection.exchange(
      message,
      answering: request.method,
      limits: configuration.limits,
      deadline: deadline
    )
    if response.allowsReuse { keep(connection) } else { connection.close() }
    return response
  }

  private func open(
    _ request: HTTPClientRequest,
    _ deadline: Int64
  ) async throws(HTTPClientError) -> HTTPConnection {
    do {
      let stream = try await dial(request.url, deadline)
      return HTTPConnection(stream, to: request.url.origin, on: loop)
    } catch {
      throw HTTPClientError(error, request)
    }
  }
}

// MARK: - Idle connections

extension HTTPClient {
  /// The connection that was used last, if it still waits for a request.
  private func takeIdle(for origin: String) -> HTTPConnection? {
    while let index = idle.lastIndex(where: { $0.origin == origin }) {
      let connection = idle.remove(at: index)
      if connection.isQuiet() { return connection }
      connection.close()
    }
    return nil
  }

  private func keep(_ connection: HTTPConnection) {
    guard !isClosed, configuration.idleConnections > 0 else { return connection.close() }
    if idle.count >= configuration.idleConnections { idle.removeFirst().close() }
    connection.rest(for: configuration.idleTimeout)
    idle.append(connection)
    scheduleSweep()
  }

  /// Closes what has been idle too long, and comes again when the next one will have been.
  private func sweepIdle() {
    sweep = nil
    idle.removeAll { connection in
      let isOld = loop.now >= connection.idleUntil
      if isOld { connection.close() }
      return isOld
    }
    scheduleSweep()
  }

  private func scheduleSweep() {
    guard sweep == nil, let oldest = idle.first else { return }
    sweep = loop.schedule(at: oldest.idleUntil) { [weak self] in
      self?.assumeIsolated { $0.sweepIdle() }
    }
  }
}

extension HTTPConnection.Failure {
  /// The error that the caller sees: the request was on its way.
  fileprivate func described(for request: HTTPClientRequest) -> HTTPClientError {
    switch cause {
    case .ended: HTTPClientError(.connectionLost, request, mayHaveReached: true)
    case .deadline: HTTPClientError(.timedOut, request, mayHaveReached: true)
    case .cancelled: HTTPClientError(.cancelled, request, mayHaveReached: true)
    case .message(let error):
      HTTPClientError(
        error.code == .truncatedHead || error.code == .truncatedBody
          ? .connectionLost : .invalidResponse,
        request,
        mayHaveReached: true,
        message: error
      )
    case .transport(let error):
      HTTPClientError(
        error.code == .timedOut
          ? .timedOut : error.code == .cancelled ? .cancelled : .connectionLost,
        request,
        mayHaveReached: true,
        transport: error
      )
    }
  }
}
