// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import WebSocket

/// Sends back every message until the connection ends.
enum Echo {
  /// Runs on the connection's own loop, so that no message changes threads.
  static func run(_ socket: WebSocketConnection) async throws {
    try await socket.loop.run { _ in
      while let batch = try await socket.nextBatch()?.messages {
        for index in 0..<batch.count where batch[index].kind.isData {
          try await socket.send(batch[index].kind, batch.bytes(of: index))
        }
      }
    }
  }
}
