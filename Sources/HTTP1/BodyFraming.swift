// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How the end of a body is found (RFC 9112 §6.3).
package enum BodyFraming: Sendable, Hashable {
  /// There is no body, whatever the fields say.
  case none

  /// So many bytes.
  case length(Int)

  /// Chunks, the last of which is empty.
  case chunked

  /// All that comes until the connection ends; only a response can be framed like that.
  case untilClose
}

extension ResponseHead {
  /// How this response's body is framed.
  ///
  /// - Parameter method: The method of the request that it answers.
  /// - Returns: The framing.
  /// - Throws: `ambiguousLength`, `unsupportedTransferCoding` or `invalidContentLength`: a
  ///   response whose end is a matter of opinion must not be read (RFC 9112 §11.2).
  package func bodyFraming(for method: HTTPMethod) throws(HTTPError) -> BodyFraming {
    let isTunnel = method == .connect && 200...299 ~= status
    let hasNone = method == .head || status < 200 || status == 204 || status == 304
    if hasNone || isTunnel { return .none }
    return try fields.declaredFraming(version: version) ?? .untilClose
  }

  /// Whether the connection may carry another request after this response (RFC 9112 §9.3).
  ///
  /// - Parameter method: The method of the request that it answers.
  /// - Returns: Whether both sides keep it open and the body's end does not depend on the close.
  package func allowsReuse(after method: HTTPMethod) -> Bool {
    guard status != 101, !fields.contains(token: "close", in: "Connection"),
      version == .http11 || fields.contains(token: "keep-alive", in: "Connection"),
      let framing = try? bodyFraming(for: method)
    else { return false }
    return framing != .untilClose
  }
}

extension RequestHead {
  /// How this request's body is framed; without either field it has none.
  ///
  /// - Returns: The framing, never ``BodyFraming/untilClose``.
  /// - Throws: As for a response.
  package func bodyFraming() throws(HTTPError) -> BodyFraming {
    try fields.declaredFraming(version: version) ?? .none
  }
}

extension HTTPFields {
  /// The framing that Content-Length or Transfer-Encoding declare, or nil if neither stands.
  fileprivate func declaredFraming(version: HTTPVersion) throws(HTTPError) -> BodyFraming? {
    let lengths = listMembers(of: "Content-Length")
    let hasLength = !values(of: "Content-Length").isEmpty
    let codings = values(of: "Transfer-Encoding")
    guard codings.isEmpty else {
      guard !hasLength else { throw HTTPError(.ambiguousLength) }
      guard version == .http11 else {
        throw HTTPError(.unsupportedTransferCoding, "in HTTP/1.0")
      }
      guard codings.count == 1, codings[0].equalsIgnoringASCIICase("chunked") else {
        throw HTTPError(.unsupportedTransferCoding, "only chunked is")
      }
      return .chunked
    }
    guard hasLength else { return nil }
    // The same length said twice is allowed (RFC 9110 §8.6), two lengths are not.
    guard let first = lengths.first, let length = Self.length(first) else {
      throw HTTPError(.invalidContentLength)
    }
    guard lengths.allSatisfy({ $0 == first }) else { throw HTTPError(.ambiguousLength) }
    return .length(length)
  }

  /// Digits only: `Int` would take a sign as well.
  private static func length(_ text: String) -> Int? {
    text.utf8.allSatisfy(\.isASCIIDigit) ? Int(text) : nil
  }
}
