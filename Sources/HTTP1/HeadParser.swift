// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What can stand in the first line of a head, so that one parser reads requests and responses.
package protocol HTTPHead: Sendable {
  /// What the first line tells.
  associatedtype StartLine: Sendable

  /// Whether a head of this kind can start with this byte; tells other protocols at once.
  static func canStart(with byte: UInt8) -> Bool

  /// Reads the first line, which came without its end.
  static func parse(startLine: [UInt8]) throws(HTTPError) -> StartLine

  /// Puts the parts together.
  init(startLine: StartLine, fields: HTTPFields) throws(HTTPError)
}

/// Reads heads from pieces of any size.
///
/// Give it what came; it says how much of it belonged to the head. After a head it starts again:
/// interim responses (RFC 9110 §15.2) and the next message on the connection need no new parser.
package struct HeadParser<Head: HTTPHead>: Sendable {
  private let limits: HTTPLimits
  private var lines: HeadLines
  private var startLine: Head.StartLine?
  private var fields = HTTPFields()

  /// - Parameter limits: How large a head may be.
  package init(limits: HTTPLimits = HTTPLimits()) {
    self.limits = limits
    lines = HeadLines(limit: limits.headBytes)
  }

  /// Whether part of a head has come: the connection may end here without loss if not.
  package var isInsideHead: Bool { !lines.isUntouched }

  /// Takes the next bytes.
  ///
  /// - Parameter bytes: What came, of any length.
  /// - Returns: How many of the bytes belong to the head, and the head once it is complete. As
  ///   long as it is not, all bytes are taken.
  /// - Throws: The rule that the peer broke, as soon as that is certain.
  package mutating func parse(
    _ bytes: Span<UInt8>
  ) throws(HTTPError) -> (consumed: Int, head: Head?) {
    var index = 0
    if lines.isUntouched, !bytes.isEmpty, !Head.canStart(with: bytes[0]) {
      throw HTTPError(.notHTTP, Self.guess(firstByte: bytes[0]))
    }
    while try lines.read(from: bytes, at: &index) {
      if let head = try takeLine() {
        self = Self(limits: limits)
        return (index, head)
      }
    }
    return (index, nil)
  }

  private mutating func takeLine() throws(HTTPError) -> Head? {
    guard let startLine else {
      startLine = try Head.parse(startLine: lines.line)
      return nil
    }
    if lines.line.isEmpty { return try Head(startLine: startLine, fields: fields) }
    guard fields.count < limits.fieldCount else {
      throw HTTPError(.tooManyFields, "more than \(limits.fieldCount)")
    }
    fields.append(unchecked: try HTTPFields.Field(line: lines.line))
    return nil
  }

  /// A TLS record starts with 20 to 23 (RFC 8446 §5.1): the usual mix-up of http and https.
  private static func guess(firstByte: UInt8) -> String? {
    20...23 ~= firstByte ? "it speaks TLS" : nil
  }
}

/// Reads the heads of responses: the client's side.
package typealias ResponseHeadParser = HeadParser<ResponseHead>

/// Reads the heads of requests: the server's side.
package typealias RequestHeadParser = HeadParser<RequestHead>
