// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import Transport

/// The hosts that are reached without the proxy: what `NO_PROXY` says, and always this machine.
public struct DirectHosts: Sendable, Hashable {
  private enum Rule: Sendable, Hashable {
    case everything
    /// The name and every name below it, in lower case.
    case domain(String)
    case network(SocketAddress, prefixLength: Int)
  }

  private let rules: [Rule]

  /// This machine alone.
  public static let loopback = DirectHosts("")

  /// Reads the form that `NO_PROXY` has, as curl understands it.
  ///
  /// - Parameter list: Names, addresses and networks (`192.168.0.0/16`) between commas or spaces. A
  ///   name stands for all names below it too, with and without a dot in front; `*` for everything.
  public init(_ list: String) {
    rules = list.split { $0 == "," || $0.isWhitespace }.map { entry in
      if entry == "*" { return .everything }
      let parts = entry.split(separator: "/", maxSplits: 1)
      let literal = parts.first.map { Self.withoutBrackets($0) } ?? ""
      if let address = SocketAddress(literal: literal, port: 0) {
        let length = parts.count > 1 ? Int(parts[1]) ?? address.bitCount : address.bitCount
        return .network(address, prefixLength: length)
      }
      return .domain(entry.drop { $0 == "." }.lowercased())
    }
  }

  /// Whether a host is reached directly.
  ///
  /// - Parameter host: A name or an address, an IPv6 address without brackets.
  /// - Returns: Whether no proxy is to be used.
  public func contains(_ host: String) -> Bool {
    let name = (host.last == "." ? String(host.dropLast()) : host).lowercased()
    let address = SocketAddress(literal: name, port: 0)
    // RFC 6761 section 6.3: names below localhost are this machine's too.
    if address?.isLoopback == true || name == "localhost" || name.hasSuffix(".localhost") {
      return true
    }
    return rules.contains { rule in
      switch rule {
      case .everything: true
      case .domain(let domain): address == nil && (name == domain || name.hasSuffix(".\(domain)"))
      case .network(let network, let length):
        address?.isIn(networkOf: network, prefixLength: length) == true
      }
    }
  }

  private static func withoutBrackets(_ text: Substring) -> String {
    text.first == "[" && text.last == "]" ? String(text.dropFirst().dropLast()) : String(text)
  }
}
