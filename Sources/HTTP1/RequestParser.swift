// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Reads whole requests from pieces of any size: the server's side.
///
/// A request without a body, an upgrade for one, is complete with its head; what follows stays
/// with the caller.
package struct RequestParser: ~Copyable {
  private let limits: HTTPLimits
  private var headParser: RequestHeadParser
  private var head: RequestHead?
  private var body: BodyDecoder

  /// - Parameter limits: How large head and body may be.
  package init(limits: HTTPLimits = HTTPLimits()) {
    self.limits = limits
    headParser = RequestHeadParser(limits: limits)
    body = BodyDecoder()
  }

  /// Whether part of a request has come, so that the end of the connection would cut it.
  package var isInsideRequest: Bool { head != nil || headParser.isInsideHead }

  /// Takes the next bytes.
  ///
  /// - Parameter bytes: What came, of any length.
  /// - Returns: How many of the bytes were taken, and the request once it is complete; then the
  ///   parser is ready for the next one.
  /// - Throws: The rule that the peer broke.
  package mutating func parse(
    _ bytes: Span<UInt8>
  ) throws(HTTPError) -> (consumed: Int, request: HTTPRequest?) {
    var consumed = 0
    if head == nil {
      let (count, parsed) = try headParser.parse(bytes)
      consumed = count
      guard let parsed else { return (consumed, nil) }
      head = parsed
      body = try BodyDecoder(framing: parsed.bodyFraming(), limits: limits)
    }
    consumed += try body.decode(bytes.extracting(consumed...))
    guard body.isComplete, let head else { return (consumed, nil) }
    self.head = nil
    return (consumed, HTTPRequest(head: head, body: body.takeBody()))
  }
}
