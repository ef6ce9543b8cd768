// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1

/// The server's side of the opening handshake (RFC 6455 section 4.2).
package struct ServerHandshake: Sendable {
  /// What to send: 101.
  package let response: ResponseHead

  /// What was agreed on.
  package let agreement: Agreement

  /// Reads a client's request and decides.
  ///
  /// - Parameters:
  ///   - request: The head of the request.
  ///   - subprotocols: What this server speaks; the client's order decides.
  ///   - deflate: How permessage-deflate is accepted, nil to decline it.
  ///   - fields: Further fields of the answer.
  /// - Throws: ``HandshakeError``; ``refusal(of:)`` is the answer to it.
  package init(
    _ request: RequestHead,
    subprotocols: [String] = [],
    deflate: PerMessageDeflate? = nil,
    fields: HTTPFields = HTTPFields()
  ) throws(HandshakeError) {
    let key = try Self.check(request)
    let chosen = request.fields.listMembers(of: "Sec-WebSocket-Protocol")
      .first(where: subprotocols.contains)
    let accepted = deflate.flatMap { deflate in
      Extension.list(in: request.fields).lazy.compactMap { $0.flatMap(deflate.accept) }.first
    }

    var all: [(name: String, value: String)] = [
      ("Upgrade", "websocket"),
      ("Connection", "Upgrade"),
      (HandshakeKey.acceptField, try HandshakeKey.accept(for: key)),
    ]
    if let chosen { all.append(("Sec-WebSocket-Protocol", chosen)) }
    if let accepted { all.append((Extension.field, accepted.answer)) }
    do throws(HTTPError) {
      response = try ResponseHead(
        status: 101,
        reason: "Switching Protocols",
        fields: HTTPFields(all + fields.map { ($0.name, $0.value) })
      )
    } catch {
      throw HandshakeError(.invalidRequest, "\(error)", status: 500)
    }
    agreement = Agreement(subprotocol: chosen, deflate: accepted?.parameters)
  }

  /// Section 4.2.1, in its order.
  private static func check(_ request: RequestHead) throws(HandshakeError) -> String {
    guard request.method == .get, request.version == .http11 else {  // point 1
      throw refused("an upgrade is a GET of HTTP/1.1", status: 405)
    }
    guard request.fields.values(of: "Host").count == 1 else {  // point 2
      throw refused("an upgrade names one Host")
    }
    guard request.fields.contains(token: "websocket", in: "Upgrade") else {  // point 3
      throw refused("Upgrade is not websocket", status: 426)
    }
    guard request.fields.contains(token: "upgrade", in: "Connection") else {  // point 4
      throw refused("Connection lacks Upgrade")
    }
    let keys = request.fields.values(of: HandshakeKey.field)
    guard keys.count == 1, HandshakeKey.isValid(keys[0]) else {  // point 5
      throw refused("Sec-WebSocket-Key is not one nonce of 16 bytes")
    }
    guard request.fields.values(of: "Sec-WebSocket-Version") == ["13"] else {  // point 6
      throw refused("the WebSocket version is not 13", status: 426)
    }
    return keys[0]
  }

  private static func refused(_ detail: String, status: Int = 400) -> HandshakeError {
    HandshakeError(.notUpgradeRequest, detail, status: status)
  }

  /// What to answer to a request that was refused (section 4.4: 426 names the version spoken).
  ///
  /// - Parameter error: Why it was refused.
  /// - Returns: A head without a body.
  /// - Throws: Nothing that `HTTPFields` would refuse is written here; it is its type that throws.
  package static func refusal(of error: HandshakeError) throws(HTTPError) -> ResponseHead {
    var fields = try HTTPFields([("Content-Length", "0"), ("Connection", "close")])
    let status = error.status ?? 400
    if status == 426 {
      try fields.append("Upgrade", "websocket")
      try fields.append("Sec-WebSocket-Version", "13")
    }
    return try ResponseHead(status: status, reason: "WebSocket upgrade refused", fields: fields)
  }
}
