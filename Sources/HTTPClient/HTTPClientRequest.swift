// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import HTTP1

/// A request that an ``HTTPClient`` sends.
package struct HTTPClientRequest: Sendable {
  package var method: HTTPMethod
  package var url: WebURL

  /// Fields beside those that the client writes itself.
  ///
  /// Those are Host, User-Agent, Accept, Accept-Encoding, Connection and Content-Length; of them,
  /// User-Agent, Accept and Accept-Encoding may be given here instead.
  package var fields: HTTPFields

  package var body: [UInt8]?

  /// How long everything may take, from the name's look-up to the last byte of the response.
  package var timeout: Duration

  /// Whether the client may send the request a second time if a connection that it had kept open
  /// turns out to be dead before any byte of a response came.
  ///
  /// The server may have acted on the first one, so this is for requests that change nothing; an
  /// order must never be repeated.
  package var isRepeatable: Bool

  /// - Parameters:
  ///   - method: The method.
  ///   - url: An `http` or `https` URL.
  ///   - fields: More fields.
  ///   - body: The body, or nil for none.
  ///   - timeout: How long everything may take.
  ///   - isRepeatable: nil for yes if the method is GET or HEAD.
  package init(
    _ method: HTTPMethod,
    _ url: WebURL,
    fields: HTTPFields = HTTPFields(),
    body: [UInt8]? = nil,
    timeout: Duration = .seconds(20),
    isRepeatable: Bool? = nil
  ) {
    self.method = method
    self.url = url
    self.fields = fields
    self.body = body
    self.timeout = timeout
    self.isRepeatable = isRepeatable ?? method.isSafe
  }

  /// The bytes that go over the wire.
  func message(userAgent: String) throws(HTTPError) -> [UInt8] {
    guard url.scheme == .http || url.scheme == .https else {
      throw HTTPError(.unsupportedScheme, "an HTTP request needs http or https")
    }
    var all = try HTTPFields([("Host", url.authority)])
    if fields["User-Agent"] == nil { try all.append("User-Agent", userAgent) }
    if fields["Accept"] == nil { try all.append("Accept", "*/*") }
    if fields["Accept-Encoding"] == nil {
      try all.append("Accept-Encoding", ContentCoding.accepted)
    }
    try all.append("Connection", "keep-alive")
    for field in fields {
      guard all[field.name] == nil else { throw HTTPError(.duplicateField, field.name) }
      try all.append(field.name, field.value)
    }
    let head = try RequestHead(method: method, target: url.requestTarget, fields: all)
    return try head.message(body: body)
  }
}
