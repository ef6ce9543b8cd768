// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What was agreed on permessage-deflate (RFC 7692 section 7.1).
package struct DeflateParameters: Equatable, Sendable {
  /// The window sizes that a `max_window_bits` parameter may name.
  package static let windowBits = 8...15

  /// `server_no_context_takeover`: the server starts each message with an empty window.
  package var serverNoContextTakeover = false

  /// `client_no_context_takeover`: the client starts each message with an empty window.
  package var clientNoContextTakeover = false

  /// `server_max_window_bits`: the base-2 logarithm of the server's window.
  package var serverMaxWindowBits = 15

  /// `client_max_window_bits`: the base-2 logarithm of the client's window.
  package var clientMaxWindowBits = 15

  package init() {}

  /// What holds for one direction.
  struct Direction {
    var keepsContext: Bool
    var windowBits: Int
  }

  func sent(by role: Role) -> Direction {
    switch role {
    case .client:
      Direction(keepsContext: !clientNoContextTakeover, windowBits: clientMaxWindowBits)
    case .server:
      Direction(keepsContext: !serverNoContextTakeover, windowBits: serverMaxWindowBits)
    }
  }

  func received(by role: Role) -> Direction {
    sent(by: role == .client ? .server : .client)
  }
}
