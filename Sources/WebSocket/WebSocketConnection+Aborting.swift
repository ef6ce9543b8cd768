// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension WebSocketConnection {
  /// Ends the connection at once, without the closing handshake: for a peer that is taken for dead.
  ///
  /// Whoever is reading gets an error with the code `closed`.
  package func abort() {
    finish(WebSocketError(.closed, "the connection was given up"))
  }
}
