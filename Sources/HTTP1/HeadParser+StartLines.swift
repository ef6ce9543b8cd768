// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension ResponseHead: HTTPHead {
  /// A status line, read.
  package struct StartLine: Sendable {
    let version: HTTPVersion
    let status: Int
    let reason: String
  }

  package static func canStart(with byte: UInt8) -> Bool { byte == UInt8(ascii: "H") }

  /// Reads `HTTP/1.1 200 OK` (RFC 9112 §4).
  ///
  /// The space before an empty reason is often missing in practice, and nothing hangs on it.
  ///
  /// - Parameter line: The line without its end.
  /// - Returns: Its parts.
  /// - Throws: `notHTTP`, `unsupportedVersion` or `malformedStartLine`.
  package static func parse(startLine line: [UInt8]) throws(HTTPError) -> StartLine {
    guard line.starts(with: "HTTP/".utf8) else { throw HTTPError(.notHTTP) }
    let version = try HTTPVersion(bytes: line.prefix { $0 != .space })
    let rest = line.dropFirst(version.rawValue.utf8.count + 1)
    let digits = rest.prefix(3)
    guard digits.count == 3, digits.allSatisfy(\.isASCIIDigit),
      digits.first != UInt8(ascii: "0"), rest.count == 3 || rest.dropFirst(3).first == .space
    else { throw HTTPError(.malformedStartLine, "no status") }
    return StartLine(
      version: version,
      status: digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) },
      reason: String(decoding: rest.dropFirst(4), as: UTF8.self)
    )
  }

  package init(startLine: StartLine, fields: HTTPFields) throws(HTTPError) {
    try self.init(
      version: startLine.version,
      status: startLine.status,
      reason: startLine.reason,
      fields: fields
    )
  }
}

extension RequestHead: HTTPHead {
  /// A request line, read.
  package struct StartLine: Sendable {
    let method: HTTPMethod
    let target: String
    let version: HTTPVersion
  }

  package static func canStart(with byte: UInt8) -> Bool { byte.isTokenCharacter }

  /// Reads `GET /path HTTP/1.1` (RFC 9112 §3): exactly one space between the parts.
  ///
  /// - Parameter line: The line without its end.
  /// - Returns: Its parts.
  /// - Throws: `malformedStartLine`, `invalidMethod` or `unsupportedVersion`.
  package static func parse(startLine line: [UInt8]) throws(HTTPError) -> StartLine {
    let parts = line.split(separator: .space, omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[1].isEmpty else { throw HTTPError(.malformedStartLine) }
    return StartLine(
      method: try HTTPMethod(String(decoding: parts[0], as: UTF8.self)),
      target: String(decoding: parts[1], as: UTF8.self),
      version: try HTTPVersion(bytes: parts[2])
    )
  }

  /// Puts the parts together and checks the host (RFC 9112 §3.2).
  ///
  /// - Parameters:
  ///   - startLine: The request line.
  ///   - fields: The fields.
  /// - Throws: `invalidTarget`, or `missingHost` if HTTP/1.1 comes without exactly one host.
  package init(startLine: StartLine, fields: HTTPFields) throws(HTTPError) {
    try self.init(
      method: startLine.method,
      target: startLine.target,
      version: startLine.version,
      fields: fields
    )
    let hosts = fields.values(of: "Host").count
    guard hosts == 1 || hosts == 0 && startLine.version == .http10 else {
      throw HTTPError(.missingHost)
    }
  }
}

extension HTTPVersion {
  /// Reads `HTTP/1.1` or `HTTP/1.0`; anything else is a version we do not know.
  fileprivate init(bytes: some Sequence<UInt8>) throws(HTTPError) {
    guard let version = Self(rawValue: String(decoding: Array(bytes), as: UTF8.self)) else {
      throw HTTPError(.unsupportedVersion)
    }
    self = version
  }
}
