// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What is known of the brokerage session: the flags of `sts` and `auth/status`, merged.
///
/// A flag is nil until the server has said something about it.
public struct SessionState: Sendable, Hashable {
  /// Whether the server has a line to the trading backend.
  public var connected: Bool?
  /// Whether the brokerage session is authenticated.
  public var authenticated: Bool?
  /// Whether account data is loaded; older servers never send it.
  public var established: Bool?
  /// Whether another login of the same user name holds the session, or is taking it.
  public var competing: Bool?
  /// The server's own word about a failure, empty if it has none.
  public var failure = ""
  /// Whether the server does not know the session of the handshake.
  public var isWaitingForSession = false

  /// Creates a state of which nothing is known.
  public init() {}

  /// Whether brokerage feeds can be used.
  public var isReady: Bool {
    authenticated == true && established != false && competing != true && !isWaitingForSession
  }
}
