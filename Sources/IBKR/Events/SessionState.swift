// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What is known of the session: the flags of `sts` and `auth/status`, merged, and what they amount
/// to.
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
  /// How far the session has come; nil in an answer of the server, and until one has come.
  public var phase: SessionPhase?
  /// Why it is not further, in words; empty where there is nothing to say.
  public var reason = ""
  /// What a person has to do about it; nil where waiting is enough.
  public var remedy: String?

  /// Creates a state of which nothing is known.
  public init() {}

  /// Whether the flags say that brokerage feeds can be used.
  public var isReady: Bool {
    authenticated == true && established != false && competing != true && !isWaitingForSession
  }
}
