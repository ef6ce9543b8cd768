// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import JSON
import Logging
import OAuth1a
import Transport

/// The life of an OAuth session, step by step (protocol reference 2.2).
///
/// By hand, in the order of IBind's example: ``generateLiveSessionToken()``, ``startTickler()``,
/// ``registerShutdownHandler()``, ``initializeBrokerageSession(compete:)``, and at the end
/// ``oauthShutdown()``.
extension IbkrClient {
  /// Whether calls are signed with OAuth 1.0a; otherwise they go to a gateway.
  public nonisolated var usesOAuth: Bool { configuration.oauth != nil }

  /// When the live session token ends, in milliseconds since 1970; nil if there is none.
  public var liveSessionTokenExpiration: Int64? { session.token?.expiration }

  /// Generates a live session token, checks it, and signs every call with it from now on.
  ///
  /// An older one need not have ended. Calls that come while one is being generated wait for that
  /// one. The key files are read each time, so keys can be replaced while the program runs.
  ///
  /// - Throws: ``IbkrError``: `invalidConfiguration` for a gateway's client, or keys that cannot be
  ///   used; `authentication` if the server refuses, or computes another token than this side.
  public func generateLiveSessionToken() async throws(IbkrError) {
    let oauth = try requireOAuth("generateLiveSessionToken()")
    try await tokenFlight.run { () throws(IbkrError) in
      try await self.generateToken(oauth)
    }
  }

  private func generateToken(_ oauth: OAuth1aConfig) async throws(IbkrError) {
    guard !session.isOver else { throw isOver }
    for problem in oauth.exposedKeyFiles { logger.warning("\(problem)") }
    let path = oauth.liveSessionTokenEndpoint
    let target = url(path)
    var request: LiveSessionTokenRequest?
    let answer = try await send(.post, target, path) { () throws(IbkrError) in
      let attempt = try await Self.tokenRequest(
        oauth,
        url: target.origin + target.path,
        timestamp: self.session.takeTimestamp(self.loop.timestamp())
      ).get()
      request = attempt
      return attempt.authorization
    }.value
    guard let request, let response = answer["diffie_hellman_response"]?.string,
      let signature = answer["live_session_token_signature"]?.string,
      let expiration = answer["live_session_token_expiration"]?.int
    else { throw unexpected("without a live session token", from: "POST \(path)") }
    let token = await Self.token(
      request,
      response: response,
      signature: signature,
      expiration: Int64(expiration)
    )
    do throws(OAuth1aError) { session.token = try token.get() } catch {
      throw IbkrError(error, at: "POST \(path)")
    }
    logger.debug("a live session token has been generated")
  }

  /// Opens the brokerage session, without which there is no market data (protocol reference 3.4).
  ///
  /// It makes one call, `iserver/auth/ssodh/init`. The state that this answers with need not be
  /// ready yet: ask ``waitUntilReady(within:)``.
  ///
  /// - Parameter compete: Whether another login of the same user name is ended for it.
  /// - Returns: What the server says of the session.
  /// - Throws: ``IbkrError``; `invalidConfiguration` for a gateway's client, whose session a person
  ///   opens.
  @discardableResult
  public func initializeBrokerageSession(
    compete: Bool = true
  ) async throws(IbkrError) -> SessionState {
    _ = try requireOAuth("initializeBrokerageSession()")
    return try await openBrokerageSession(compete: compete)
  }

  /// Asks for the state of the brokerage session until it can be used.
  ///
  /// Before `established` is true, calls about accounts are answered as if the account were empty
  /// (protocol reference 7.2, number 15).
  ///
  /// - Parameter patience: How long to ask.
  /// - Returns: The state, which is ready.
  /// - Throws: ``IbkrError`` with `competing` or `authentication` if it is not ready by then.
  @discardableResult
  public func waitUntilReady(
    within patience: Duration = .seconds(60)
  ) async throws(IbkrError) -> SessionState {
    let deadline = loop.deadline(after: patience)
    while true {
      let state = SessionState(answer: try await exchange(.post, "iserver/auth/status").value)
      if state.isReady { return state }
      let next = loop.now + 1_000_000_000
      guard next <= deadline else { throw notReady(state, patience) }
      do { try await loop.sleep(until: next) } catch {
        throw IbkrError(.closed, "the wait for the brokerage session was cancelled")
      }
    }
  }

  private func notReady(_ state: SessionState, _ patience: Duration) -> IbkrError {
    if state.competing == true {
      return IbkrError(
        .competing,
        "another login of the same user name holds the brokerage session",
        at: base.origin,
        remedy: "end it (TWS, the mobile app, another program), or allow this one to compete"
      )
    }
    let words = state.failure.isEmpty ? "" : "; the server says: \(state.failure)"
    return IbkrError(
      .authentication,
      "the brokerage session has not become ready in \(patience)\(words)",
      at: base.origin,
      remedy: "around the nightly reset that takes minutes: try again later"
    )
  }

  /// Gives the session back: it is over for every program that shares it.
  ///
  /// - Throws: ``IbkrError``; `invalidConfiguration` for a gateway's client, always: that login is
  ///   the person's who made it.
  public func logout() async throws(IbkrError) {
    _ = try requireOAuth("logout()")
    _ = try await exchange(.post, "logout")
    session.token = nil
  }

  /// Stops the Tickler and gives the session back.
  ///
  /// - Throws: ``IbkrError`` of ``logout()``.
  public func oauthShutdown() async throws(IbkrError) {
    stopTickler()
    try await logout()
  }

  /// The client's configuration of OAuth, for what has no meaning at a gateway.
  func requireOAuth(_ method: String) throws(IbkrError) -> OAuth1aConfig {
    if let oauth = configuration.oauth { return oauth }
    throw IbkrError(
      .invalidConfiguration,
      "\(method) is for OAuth, and this client talks to a gateway, whose session belongs to the "
        + "person who logged in there",
      at: base.origin
    )
  }

  /// The error of a call after the session was given back for good.
  var isOver: IbkrError {
    IbkrError(.closed, "the OAuth session has been given back", remedy: "make another client")
  }
}
