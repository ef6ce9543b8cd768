// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Transport

/// An address to listen on, as a person writes it: `127.0.0.1:9464`, `[::1]:9464`, `:9464`.
public struct ListeningAddress: Sendable, Hashable {
  let socketAddress: SocketAddress

  /// Whether only programs of this machine reach it.
  public var isLoopback: Bool { socketAddress.isLoopback }

  /// Reads an address; nil if the text is none.
  ///
  /// - Parameter text: A number and a port; without the number the loopback is meant. Names are not
  ///   looked up: whoever publishes something shall say exactly where.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    let literal = host.isEmpty ? "127.0.0.1" : String(host)
    guard let address = SocketAddress(literal: literal, port: port) else { return nil }
    socketAddress = address
  }
}
