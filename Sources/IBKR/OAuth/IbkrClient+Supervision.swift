// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import Transport

/// What a stream's supervisor has of the client: each call alone, and nobody else who acts.
extension IbkrClient {
  /// A supervisor takes over: no call logs in or renews of its own accord, and the Tickler rests,
  /// because the supervisor has to see the answers.
  ///
  /// - Returns: How many nanoseconds of a live session token are left, nil if there is none; and
  ///   whether the brokerage session has been taken from another login already.
  func beginSupervision() -> (tokenLifetime: Int64?, hasCompeted: Bool) {
    if let oauth = configuration.oauth, oauth.initOAuth, oauth.shutdownOAuth {
      registerShutdownHandler()
    }
    session.hasBegun = true
    session.isSupervised = true
    session.resumesTickler = session.tickler != nil
    stopTickler()
    return (tokenLifetime, session.hasCompeted)
  }

  /// The supervisor has gone; what it kept alive is kept alive without it.
  func endSupervision() {
    session.isSupervised = false
    if session.resumesTickler, !session.isOver { startTickler() }
  }

  /// How many nanoseconds of the live session token are left, nil if there is none.
  var tokenLifetime: Int64? {
    guard let token = session.token else { return nil }
    let left = token.expiration - loop.timestamp().realtime / 1_000_000
    return left > 0 ? min(left, .max / 1_000_000) * 1_000_000 : nil
  }

  /// Opens the brokerage session, with OAuth or at a gateway whose login lives (protocol reference
  /// 3.1): there it brings back what has timed out, and logs nobody out.
  func openBrokerageSession(compete: Bool) async throws(IbkrError) -> SessionState {
    if compete { session.hasCompeted = true }
    return SessionState(
      answer: try await exchange(
        .post,
        "iserver/auth/ssodh/init",
        body: "{\"publish\":true,\"compete\":\(compete)}"
      ).value
    )
  }
}
