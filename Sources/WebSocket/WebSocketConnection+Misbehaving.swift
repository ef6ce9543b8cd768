// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import WebSocketProtocol

// For simulated peers: what a network or a server that breaks the rules does to the other side.
extension WebSocketConnection {
  /// Sends bytes as they are; they need be no frame.
  ///
  /// - Parameter bytes: What the peer will have to cope with.
  package func sendUnchecked(_ bytes: [UInt8]) {
    machine.sendUnchecked(bytes)
    flush()
  }

  /// Writes nothing from now on, not even pongs, as if the network swallowed it; the stream stays
  /// open.
  package func vanish() { hasVanished = true }
}
