// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
package import HTTP1

/// The client's side of the opening handshake (RFC 6455 section 4.1).
package struct ClientHandshake: Sendable {
  /// What to send.
  package let request: RequestHead

  private let accept: String
  private let subprotocols: [String]
  private let deflate: PerMessageDeflate?

  /// Fields that the handshake itself writes, or that would change what follows it.
  private static let ownFields = [
    "host", "connection", "upgrade", "content-length", "transfer-encoding",
    "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol",
    "sec-websocket-extensions", "sec-websocket-accept",
  ]

  /// Makes the request; anything that cannot be sent is refused here, before a connection is made.
  ///
  /// - Parameters:
  ///   - url: Where to; its authority becomes `Host`.
  ///   - fields: Further fields, such as `Authorization`, `Cookie` or `Origin`.
  ///   - subprotocols: What to ask for, the preferred first.
  ///   - deflate: What to offer of permessage-deflate, nil for nothing.
  ///   - nonce: 16 bytes "selected randomly for each connection" (point 7).
  /// - Throws: ``HandshakeError`` with `invalidRequest`.
  package init(
    url: WebURL,
    fields: HTTPFields = HTTPFields(),
    subprotocols: [String] = [],
    deflate: PerMessageDeflate? = nil,
    nonce: [UInt8]
  ) throws(HandshakeError) {
    guard nonce.count == HandshakeKey.length else {
      throw HandshakeError(.invalidRequest, "a handshake needs a nonce of 16 bytes")
    }
    // Point 10: tokens, each only once.
    guard subprotocols.allSatisfy(\.isHTTPToken),
      Set(subprotocols).count == subprotocols.count
    else {
      throw HandshakeError(.invalidRequest, "subprotocols must be tokens, each given once")
    }
    let taken = fields.first { field in
      Self.ownFields.contains { field.name.equalsIgnoringASCIICase($0) }
    }
    if let taken {
      throw HandshakeError(.invalidRequest, "\(taken.name) is set by the handshake itself")
    }

    let key = Base64.encode(nonce)
    var all: [(name: String, value: String)] = [
      ("Host", url.authority),
      ("Upgrade", "websocket"),
      ("Connection", "Upgrade"),
      (HandshakeKey.field, key),
      ("Sec-WebSocket-Version", "13"),
    ]
    if !subprotocols.isEmpty {
      all.append(("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", ")))
    }
    if let deflate {
      all.append((Extension.field, deflate.offer))
    }
    do throws(HTTPError) {
      request = try RequestHead(
        method: .get,
        target: url.requestTarget,
        fields: HTTPFields(all + fields.map { ($0.name, $0.value) })
      )
    } catch {
      throw HandshakeError(.invalidRequest, "\(error)")
    }
    accept = try HandshakeKey.accept(for: key)
    self.subprotocols = subprotocols
    self.deflate = deflate
  }

  /// Checks the server's answer: the list that ends section 4.1, in its order.
  ///
  /// - Parameter response: The head of the answer.
  /// - Returns: What was agreed on.
  /// - Throws: ``HandshakeError`` for the first rule that is broken.
  package func check(_ response: ResponseHead) throws(HandshakeError) -> Agreement {
    guard response.version == .http11 else {
      throw HandshakeError(.version, "the server answered in \(response.version.rawValue)")
    }
    guard response.status == 101 else { throw Self.refusal(response) }  // point 1
    let upgrade = response.fields.listMembers(of: "Upgrade")
    guard upgrade.count == 1, upgrade[0].equalsIgnoringASCIICase("websocket") else {  // point 2
      throw HandshakeError(.upgrade, "the answer's Upgrade is not websocket", status: 101)
    }
    guard response.fields.contains(token: "upgrade", in: "Connection") else {  // point 3
      throw HandshakeError(.upgrade, "the answer's Connection lacks Upgrade", status: 101)
    }
    // Point 4; base64 has upper and lower case, so the comparison is exact.
    let accepts = response.fields.values(of: HandshakeKey.acceptField)
    guard accepts.count == 1, accepts[0] == accept else {
      let found = accepts.isEmpty ? "missing" : accepts.count > 1 ? "repeated" : "wrong"
      throw HandshakeError(.accept, "the answer's Sec-WebSocket-Accept is \(found)", status: 101)
    }
    return Agreement(
      subprotocol: try checkSubprotocol(response.fields),
      deflate: try checkExtensions(response.fields)
    )
  }

  /// Point 5: no extension that was not offered, and none twice.
  private func checkExtensions(
    _ fields: HTTPFields
  ) throws(HandshakeError) -> DeflateParameters? {
    let answers = Extension.list(in: fields)
    guard let answer = answers.first else { return nil }
    guard let deflate, let answer, answers.count == 1, answer.name == PerMessageDeflate.name else {
      throw HandshakeError(
        .extensions,
        "the server uses an extension that was not asked for",
        status: 101
      )
    }
    guard let parameters = deflate.settle(answer) else {
      throw HandshakeError(
        .extensions,
        "the server's parameters for permessage-deflate are not allowed",
        status: 101
      )
    }
    return parameters
  }

  /// Point 6: one of the subprotocols that were asked for, or none.
  private func checkSubprotocol(_ fields: HTTPFields) throws(HandshakeError) -> String? {
    let chosen = fields.values(of: "Sec-WebSocket-Protocol")
    guard let subprotocol = chosen.first else { return nil }
    guard chosen.count == 1, subprotocols.contains(subprotocol) else {
      throw HandshakeError(
        .subprotocol,
        "the server chose a subprotocol that was not asked for",
        status: 101
      )
    }
    return subprotocol
  }

  private static func refusal(_ response: ResponseHead) -> HandshakeError {
    if (300...399).contains(response.status), let location = response.fields["Location"] {
      // The query may hold a token.
      let target = location.prefix { $0 != "?" && $0 != "#" }
      return HandshakeError(
        .redirect,
        "the server redirects to \(target), which is not followed; connect there if it is right",
        status: response.status
      )
    }
    return HandshakeError(
      .status,
      "the server answered \(response.status) \(response.reason) and did not upgrade",
      status: response.status
    )
  }
}
