// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import HTTP1

extension HTTPProxy {
  /// Reads the form that `HTTPS_PROXY` has: `http://user:password@host:port`.
  ///
  /// Scheme, user and password may be left out; the port is then 1080, as curl has it, or 80 if
  /// there is a scheme. User and password are percent-decoded.
  ///
  /// - Parameter address: The text. A scheme other than `http`, a path, and what is no address at
  ///   all give nil.
  public init?(address: String) {
    var rest = address[...]
    var port: UInt16 = 1080
    if let separator = address.firstRange(of: "://") {
      guard address[..<separator.lowerBound].lowercased() == "http" else { return nil }
      rest = address[separator.upperBound...]
      port = 80
    }
    // RFC 3986 section 3.2: the last @ ends the user's part, whatever that holds.
    var user: String?
    var password = ""
    if let at = rest.lastIndex(of: "@") {
      let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decode(parts[0]),
        let word = Self.decode(parts.count > 1 ? parts[1] : "")
      else { return nil }
      user = name
      password = word
      rest = rest[rest.index(after: at)...]
    }
    if rest.last == "/" { rest = rest.dropLast() }
    // The colons of an IPv6 address stand in brackets.
    let hasPort = rest[(rest.lastIndex(of: "]") ?? rest.startIndex)...].contains(":")
    guard let url = try? WebURL("http://\(rest)" + (hasPort ? "" : ":\(port)")),
      url.path == "/", url.query == nil, !url.host.isEmpty
    else { return nil }
    self.init(host: url.host, port: url.port, user: user, password: password)
  }

  /// Undoes percent-encoding (RFC 3986 section 2.1); nil for what is no UTF-8 or badly encoded.
  private static func decode(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, let value = UInt8(String(Substring(digits)), radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
