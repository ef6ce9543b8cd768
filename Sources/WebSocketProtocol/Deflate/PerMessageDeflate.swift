// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How permessage-deflate is to be used (RFC 7692), for a client's offer and a server's choice.
public struct PerMessageDeflate: Sendable, Hashable {
  /// Whether the server is to start each message with an empty window: it saves the client memory.
  public var serverNoContextTakeover: Bool

  /// Whether the client starts each message with an empty window.
  public var clientNoContextTakeover: Bool

  /// The base-2 logarithm of the server's window, 8 to 15.
  public var serverMaxWindowBits: Int

  /// The base-2 logarithm of the client's window, 8 to 15.
  public var clientMaxWindowBits: Int

  /// Makes settings; values outside 8 to 15 are moved to the nearest that is inside.
  ///
  /// - Parameters:
  ///   - serverNoContextTakeover: Whether the server's messages are compressed one by one.
  ///   - clientNoContextTakeover: Whether the client's messages are compressed one by one.
  ///   - serverMaxWindowBits: The base-2 logarithm of the server's window.
  ///   - clientMaxWindowBits: The base-2 logarithm of the client's window.
  public init(
    serverNoContextTakeover: Bool = false,
    clientNoContextTakeover: Bool = false,
    serverMaxWindowBits: Int = 15,
    clientMaxWindowBits: Int = 15
  ) {
    self.serverNoContextTakeover = serverNoContextTakeover
    self.clientNoContextTakeover = clientNoContextTakeover
    self.serverMaxWindowBits = min(max(serverMaxWindowBits, 8), 15)
    self.clientMaxWindowBits = min(max(clientMaxWindowBits, 8), 15)
  }
}
