// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1
package import Transport
internal import WebSocketProtocol

extension WebSocketConnection {
  /// Accepts an upgrade as server (RFC 6455 section 4.2), or refuses it with an HTTP answer.
  ///
  /// To be called on the loop's thread, from the actor that has read the request: the stream moves
  /// to the connection and must not be used afterwards.
  ///
  /// - Parameters:
  ///   - stream: The stream that the request came on.
  ///   - request: The request.
  ///   - leftover: What was read behind it.
  ///   - configuration: `subprotocols` are those this server speaks, `headers` go into the answer.
  ///   - loop: The loop of the stream.
  /// - Returns: The connection.
  /// - Throws: ``WebSocketError`` if the request is no upgrade or the answer cannot be written.
  package static func accept(
    _ stream: any ByteStream,
    request: RequestHead,
    leftover: [UInt8] = [],
    configuration: WebSocketConfiguration = WebSocketConfiguration(),
    loop: EventLoop
  ) async throws(WebSocketError) -> WebSocketConnection {
    let connection = WebSocketConnection(
      configuration: configuration,
      role: .server,
      loop: loop
    )
    guard loop.isOnLoop else {
      throw WebSocketError(.invalidArgument, "a stream can be accepted on its own loop only")
    }
    connection.adopt(stream)
    try await connection.answer(request, leftover: leftover)
    return connection
  }

  private nonisolated func adopt(_ stream: any ByteStream) {
    // Both actors run on this one thread, which `assumeIsolated` checks as well, and the caller has
    // given the stream up.
    nonisolated(unsafe) let moved = stream
    assumeIsolated { $0.stream = moved }
  }

  private func answer(_ request: RequestHead, leftover: [UInt8]) async throws(WebSocketError) {
    let deadline = loop.deadline(after: configuration.handshakeTimeout)
    let handshake: ServerHandshake
    do throws(HandshakeError) {
      handshake = try ServerHandshake(
        request,
        subprotocols: configuration.subprotocols,
        deflate: configuration.deflate,
        fields: Self.fields(configuration)
      )
    } catch {
      if let refusal = try? ServerHandshake.refusal(of: error) {
        try await write(refusal, deadline: deadline)
      }
      stream?.shutdown()
      let failure = WebSocketError(error)
      finish(failure)
      throw failure
    }
    try await write(handshake.response, deadline: deadline)
    begin(handshake.agreement, leftover: leftover[...])
  }
}
