// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Reads the response to one request from pieces of any size: the client's side.
///
/// Interim responses are read and left out (RFC 9110 §15.2).
package struct ResponseParser: ~Copyable {
  private let method: HTTPMethod
  private let limits: HTTPLimits
  private var headParser: ResponseHeadParser
  private var head: ResponseHead?
  private var body: BodyDecoder
  private var interimCount = 0

  /// - Parameters:
  ///   - method: The request's method, on which the body's framing depends.
  ///   - limits: How large head and body may be.
  package init(
    answering method: HTTPMethod,
    limits: HTTPLimits = HTTPLimits()
  ) {
    self.method = method
    self.limits = limits
    headParser = ResponseHeadParser(limits: limits)
    body = BodyDecoder()
  }

  /// Takes the next bytes.
  ///
  /// - Parameter bytes: What came, of any length.
  /// - Returns: How many of the bytes were taken, and the response once it is complete.
  /// - Throws: The rule that the peer broke.
  package mutating func parse(
    _ bytes: Span<UInt8>
  ) throws(HTTPError) -> (consumed: Int, response: HTTPResponse?) {
    var consumed = 0
    while head == nil {
      let (count, parsed) = try headParser.parse(bytes.extracting(consumed...))
      consumed += count
      guard let parsed else { return (consumed, nil) }
      try begin(parsed)
    }
    consumed += try body.decode(bytes.extracting(consumed...))
    return (consumed, body.isComplete ? takeResponse() : nil)
  }

  /// Says that the connection has ended.
  ///
  /// - Returns: The response, if its body was framed by the end of the connection.
  /// - Throws: `truncatedHead` or `truncatedBody`.
  package mutating func endOfConnection() throws(HTTPError) -> HTTPResponse? {
    guard head != nil else { throw HTTPError(.truncatedHead) }
    try body.endOfConnection()
    return takeResponse()
  }

  private mutating func begin(_ parsed: ResponseHead) throws(HTTPError) {
    if parsed.isInterim {
      interimCount += 1
      guard interimCount <= 8 else { throw HTTPError(.tooManyInterimResponses) }
      return
    }
    let framing = try parsed.bodyFraming(for: method)
    let coding = framing == .none ? .identity : try parsed.fields.contentCoding()
    body = try BodyDecoder(framing: framing, coding: coding, limits: limits)
    head = parsed
  }

  private mutating func takeResponse() -> HTTPResponse? {
    guard let head else { return nil }
    return HTTPResponse(
      head: head,
      body: body.takeBody(),
      allowsReuse: head.allowsReuse(after: method)
    )
  }
}
