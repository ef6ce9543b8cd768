// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import Glibc

extension WebURL {
  /// Reads a URL.
  ///
  /// - Parameter text: `scheme://host[:port][/path][?query]`.
  /// - Throws: The code of the first thing that is wrong; the text is never part of the error.
  package init(_ text: String) throws(HTTPError) {
    try Self.checkCharacters(text)
    guard let separator = text.firstRange(of: "://") else {
      throw HTTPError(.malformedURL)
    }
    guard let scheme = Scheme(rawValue: text[..<separator.lowerBound].asciiLowercased) else {
      throw HTTPError(.unsupportedScheme)
    }
    let rest = text[separator.upperBound...]
    guard !rest.utf8.contains(UInt8(ascii: "#")) else { throw HTTPError(.fragmentInURL) }
    let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    let authority = rest[..<authorityEnd]
    let (host, port) = try Self.hostAndPort(authority)

    let target = rest[authorityEnd...]
    let mark = target.firstIndex(of: "?") ?? target.endIndex
    let path = mark == target.startIndex ? "/" : String(target[..<mark])
    try Self.checkPath(path)
    self.init(
      scheme: scheme,
      host: host,
      port: port ?? scheme.defaultPort,
      path: path,
      query: mark == target.endIndex ? nil : String(target[target.index(after: mark)...])
    )
  }

  /// Refuses what RFC 3986 §2 does not allow anywhere in a URL.
  private static func checkCharacters(_ text: String) throws(HTTPError) {
    let bytes = Array(text.utf8)
    for (index, byte) in bytes.enumerated() {
      guard byte.isURLCharacter else {
        throw HTTPError(.invalidURLCharacter, "\(byte.hexadecimalName) at offset \(index)")
      }
      guard byte == UInt8(ascii: "%") else { continue }
      guard index + 2 < bytes.count, bytes[index + 1].hexadecimalValue != nil,
        bytes[index + 2].hexadecimalValue != nil
      else { throw HTTPError(.invalidURLCharacter, "a lone % at offset \(index)") }
    }
  }

  /// Refuses a path that would end early or mean something else on the wire.
  static func checkPath(_ path: String) throws(HTTPError) {
    try checkCharacters(path)
    for byte in [UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "["), UInt8(ascii: "]")]
    where path.utf8.contains(byte) {
      throw HTTPError(.invalidURLCharacter, "\(byte.hexadecimalName) in the path")
    }
  }

  /// Splits `host:port` or `[address]:port` (RFC 3986 §3.2).
  private static func hostAndPort(
    _ authority: Substring
  ) throws(HTTPError) -> (host: String, port: UInt16?) {
    guard !authority.utf8.contains(UInt8(ascii: "@")) else {
      throw HTTPError(.userInformationInURL)
    }
    let host: String
    let portText: Substring?
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { throw HTTPError(.invalidHost) }
      host = String(authority[authority.index(after: authority.startIndex)..<end])
      guard isAddress(host, family: AF_INET6) else {
        throw HTTPError(.invalidHost, "not an IPv6 address")
      }
      let rest = authority[authority.index(after: end)...]
      guard rest.isEmpty || rest.first == ":" else { throw HTTPError(.invalidHost) }
      portText = rest.isEmpty ? nil : rest.dropFirst()
    } else {
      let colon = authority.firstIndex(of: ":")
      host = authority[..<(colon ?? authority.endIndex)].asciiLowercased
      try checkName(host)
      portText = colon.map { authority[authority.index(after: $0)...] }
    }
    guard let portText else { return (host, nil) }
    guard portText.utf8.allSatisfy(\.isASCIIDigit), let port = UInt16(portText), port > 0 else {
      throw HTTPError(.invalidPort)
    }
    return (host, port)
  }

  /// Accepts names as the domain name system has them, and dotted quads.
  ///
  /// A name whose last label is a number is an address or nothing: the resolver would read
  /// `127.1` and `0x7f.1` as addresses that nobody can see in the text.
  private static func checkName(_ host: String) throws(HTTPError) {
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    guard host.utf8.count <= 253, labels.allSatisfy(isLabel) else { throw HTTPError(.invalidHost) }
    if let last = labels.last, isNumber(last), !isAddress(host, family: AF_INET) {
      throw HTTPError(.invalidHost, "a number that is not an IPv4 address")
    }
  }

  /// Whether the resolver would take a label for a number, as `inet_aton` does.
  private static func isNumber(_ label: Substring) -> Bool {
    let isHexadecimal = label.lowercased().hasPrefix("0x")
    return isHexadecimal
      ? label.utf8.dropFirst(2).allSatisfy { $0.hexadecimalValue != nil }
      : label.utf8.allSatisfy(\.isASCIIDigit)
  }

  private static func isLabel(_ label: Substring) -> Bool {
    1...63 ~= label.utf8.count
      && label.utf8.allSatisfy {
        $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
      }
  }

  private static func isAddress(_ text: String, family: Int32) -> Bool {
    var storage = in6_addr()
    return inet_pton(family, text, &storage) == 1
  }
}

extension UInt8 {
  /// `unreserved` (RFC 3986 §2.3).
  var isUnreserved: Bool {
    if isASCIILetter || isASCIIDigit { return true }
    switch self {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): return true
    default: return false
    }
  }

  /// A character that may stand somewhere in a URL (RFC 3986 §2).
  fileprivate var isURLCharacter: Bool {
    isUnreserved || "%!$&'()*+,;=:/?#[]@".utf8.contains(self)
  }
}
