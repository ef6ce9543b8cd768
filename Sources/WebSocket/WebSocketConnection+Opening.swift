// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1
package import Transport
internal import WebSocketProtocol

// The opening handshake over a stream (RFC 6455 section 4).
extension WebSocketConnection {
  /// How much of the body of an answer that is no upgrade is kept, and how long it is waited for.
  private static let excerpt = 1024
  private static let excerptPatience = Duration.seconds(1)

  /// Makes the request; what cannot be sent is refused here, before any connection is made.
  static func handshake(
    _ url: WebURL,
    _ configuration: WebSocketConfiguration
  ) throws(WebSocketError) -> ClientHandshake {
    var random = SystemRandomNumberGenerator()
    do throws(HandshakeError) {
      return try ClientHandshake(
        url: url,
        fields: try fields(configuration),
        subprotocols: configuration.subprotocols,
        deflate: configuration.deflate,
        nonce: (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
      )
    } catch {
      throw WebSocketError(error)
    }
  }

  static func fields(_ configuration: WebSocketConfiguration) throws(HandshakeError) -> HTTPFields {
    do throws(HTTPError) {
      return try HTTPFields(configuration.headers.map { ($0.name, $0.value) })
    } catch {
      throw HandshakeError(.invalidRequest, "a header cannot be sent: \(error)")
    }
  }

  /// Sends the request, and checks the answer (section 4.1).
  func upgrade(_ handshake: ClientHandshake, deadline: Int64) async throws(WebSocketError) {
    guard let stream else { throw WebSocketError(.closed, "the connection is closed") }
    var request: [UInt8] = []
    handshake.request.write(to: &request)
    try await write(request, deadline: deadline)
    var reader = HeadReader(stream, deadline: deadline)
    let response = try await reader.read()
    do throws(HandshakeError) {
      begin(try handshake.check(response), leftover: reader.leftover)
    } catch {
      guard error.status != 101, error.status != nil else { throw WebSocketError(error) }
      let patience = min(deadline, loop.deadline(after: Self.excerptPatience))
      var body = HeadReader(stream, deadline: patience)
      let start = Array(reader.leftover.prefix(Self.excerpt))
      let rest = await body.bodyExcerpt(upTo: Self.excerpt - start.count)
      throw WebSocketError(error, body: start + rest)
    }
  }

  func write(_ response: ResponseHead, deadline: Int64) async throws(WebSocketError) {
    var bytes: [UInt8] = []
    response.write(to: &bytes)
    try await write(bytes, deadline: deadline)
  }

  func write(_ bytes: [UInt8], deadline: Int64) async throws(WebSocketError) {
    do throws(TransportError) {
      try await stream?.writeAll(bytes, deadline: deadline)
    } catch {
      throw WebSocketError(handshake: error)
    }
  }

  /// Opens a connection over a stream that somebody else made, such as one in memory.
  ///
  /// - Parameters:
  ///   - url: What the request asks for.
  ///   - configuration: How the connection is opened and kept.
  ///   - loop: The loop of the stream.
  ///   - makeStream: Makes the stream, on the loop's thread.
  /// - Returns: The connection.
  /// - Throws: ``WebSocketError`` if the upgrade does not succeed.
  package static func open(
    _ url: String,
    configuration: WebSocketConfiguration = WebSocketConfiguration(),
    loop: EventLoop,
    over makeStream: @Sendable () -> sending any ByteStream
  ) async throws(WebSocketError) -> WebSocketConnection {
    let handshake = try handshake(try parse(url), configuration)
    let connection = WebSocketConnection(configuration: configuration, role: .client, loop: loop)
    try await connection.open(handshake, over: makeStream)
    return connection
  }

  private func open(
    _ handshake: ClientHandshake,
    over makeStream: @Sendable () -> sending any ByteStream
  ) async throws(WebSocketError) {
    stream = makeStream()
    let deadline = loop.deadline(after: configuration.handshakeTimeout)
    do throws(WebSocketError) {
      try await upgrade(handshake, deadline: deadline)
    } catch {
      finish(error)
      throw error
    }
  }

  /// Reads the URL of a WebSocket server.
  ///
  /// - Parameter url: `ws://` or `wss://`, host, path and query.
  /// - Returns: Its parts.
  /// - Throws: ``WebSocketError`` if it is none.
  package static func parse(_ url: String) throws(WebSocketError) -> WebURL {
    do throws(HTTPError) {
      let parsed = try WebURL(url)
      guard parsed.scheme == .ws || parsed.scheme == .wss else {
        throw HTTPError(.unsupportedScheme)
      }
      return parsed
    } catch {
      throw WebSocketError(.invalidRequest, "the URL cannot be used: \(error)")
    }
  }
}
