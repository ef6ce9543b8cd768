// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A request with its body: what a server reads.
package struct HTTPRequest: Sendable, Hashable {
  package let head: RequestHead
  package let body: [UInt8]
}

/// A response with its body: what a client reads.
package struct HTTPResponse: Sendable, Hashable {
  package let head: ResponseHead

  /// The content, decompressed.
  package let body: [UInt8]

  /// Whether the connection may carry another request.
  package let allowsReuse: Bool

  /// The same response on a connection that must not be used again.
  package var withoutReuse: HTTPResponse {
    HTTPResponse(head: head, body: body, allowsReuse: false)
  }
}

extension RequestHead {
  /// The request as it goes over the wire.
  ///
  /// `Content-Length` is added whenever there is a body, and as 0 without one where the method
  /// expects one: IBKR answers 411 to a POST that does not say it.
  ///
  /// - Parameter body: The body, or nil for none.
  /// - Returns: Head and body.
  /// - Throws: `ambiguousLength` if the fields declare a length themselves.
  package func message(body: [UInt8]? = nil) throws(HTTPError) -> [UInt8] {
    var head = self
    if body != nil || method.expectsBody { try head.fields.declareLength(body?.count ?? 0) }
    var message: [UInt8] = []
    head.write(to: &message)
    message += body ?? []
    return message
  }
}

extension ResponseHead {
  /// The response as it goes over the wire, `Content-Length` included.
  ///
  /// - Parameter body: The body; must be empty where the status allows none.
  /// - Returns: Head and body.
  /// - Throws: `ambiguousLength` if the fields declare a length themselves.
  package func message(body: [UInt8] = []) throws(HTTPError) -> [UInt8] {
    var head = self
    // RFC 9110 §8.6: no Content-Length in 1xx and 204.
    if status >= 200 && status != 204 { try head.fields.declareLength(body.count) }
    var message: [UInt8] = []
    head.write(to: &message)
    message += body
    return message
  }
}

extension HTTPFields {
  fileprivate mutating func declareLength(_ length: Int) throws(HTTPError) {
    guard self["Content-Length"] == nil, self["Transfer-Encoding"] == nil else {
      throw HTTPError(.ambiguousLength, "the length is declared by the writer alone")
    }
    try append("Content-Length", String(length))
  }
}
