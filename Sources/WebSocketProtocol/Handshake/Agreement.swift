// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What an opening handshake settled.
package struct Agreement: Equatable, Sendable {
  /// The subprotocol, if one was agreed on (RFC 6455 section 1.9).
  package var subprotocol: String?

  /// The parameters of permessage-deflate, if it is used.
  package var deflate: DeflateParameters?

  package init(subprotocol: String? = nil, deflate: DeflateParameters? = nil) {
    self.subprotocol = subprotocol
    self.deflate = deflate
  }
}
