// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import Logging
import OAuth1a
import Transport

extension IbkrClient {
  /// Logs in as the switches of ``OAuth1aConfig`` say: IBind's `oauth_init`.
  ///
  /// A live session token is generated if there is none, or none that lasts; the Tickler and the
  /// shutdown handler start; the brokerage session is opened, and waited for. The first call that
  /// needs a session does all this by itself, unless ``OAuth1aConfig/initOAuth`` is off; by hand it
  /// is the way back to a session that was lost.
  ///
  /// - Throws: ``IbkrError`` of the step that failed.
  public func oauthInit() async throws(IbkrError) {
    let oauth = try requireOAuth("oauthInit()")
    try await loginFlight.run { () throws(IbkrError) in try await self.logIn(oauth) }
  }

  /// Logs in before the first call, and replaces a token that ends soon.
  func logInOnce() async throws(IbkrError) {
    guard let oauth = configuration.oauth else { return }
    guard !session.isOver else { throw isOver }
    guard oauth.initOAuth, !session.isSupervised else { return }
    if !session.hasBegun {
      return try await loginFlight.run { () throws(IbkrError) in
        if !self.session.hasBegun { try await self.logIn(oauth) }
      }
    }
    guard session.isExpiring(at: loop.timestamp()), loop.now >= session.nextRenewal else { return }
    try await loginFlight.run { () throws(IbkrError) in try await self.renew(oauth) }
  }

  private func logIn(_ oauth: OAuth1aConfig) async throws(IbkrError) {
    if session.token == nil || session.isExpiring(at: loop.timestamp()) || session.hasBegun {
      try await generateLiveSessionToken()
    }
    if oauth.maintainOAuth { startTickler() }
    if oauth.shutdownOAuth { registerShutdownHandler() }
    if oauth.initBrokerageSession { try await openBrokerageSession(oauth) }
    session.hasBegun = true
  }

  private func openBrokerageSession(_ oauth: OAuth1aConfig) async throws(IbkrError) {
    // On some servers opening a good session resets it, so it is asked for first.
    if session.hasCompeted, try await exchangeStatus().isReady { return }
    let compete = oauth.competesAtStart && !session.hasCompeted
    let state = try await initializeBrokerageSession(compete: compete)
    session.hasCompeted = true
    if !state.isReady { try await waitUntilReady() }
  }

  private func exchangeStatus() async throws(IbkrError) -> SessionState {
    SessionState(answer: try await exchange(.post, "iserver/auth/status").value)
  }

  /// Replaces the token before it ends; as long as the old one lasts, a failure is only told.
  private func renew(_ oauth: OAuth1aConfig) async throws(IbkrError) {
    // Somebody else may have done it while this one waited.
    let now = loop.timestamp()
    guard session.isExpiring(at: now), loop.now >= session.nextRenewal else { return }
    do throws(IbkrError) {
      try await generateLiveSessionToken()
      if oauth.initBrokerageSession { try await openBrokerageSession(oauth) }
    } catch {
      session.nextRenewal = loop.now + OAuthSession.renewalPause
      guard let token = session.token, token.expiration > now.realtime / 1_000_000 else {
        throw error
      }
      logger.warning("the live session token could not be renewed", metadata: ["why": "\(error)"])
    }
  }

  // MARK: The Tickler

  /// Starts to keep the session alive: a `tickle` whenever there was none for
  /// ``IbkrConfiguration/ticklerInterval``.
  ///
  /// A stream with this client tickles too; both together do not do it more often. Nothing happens
  /// if the Tickler runs already.
  public func startTickler() {
    guard session.tickler == nil else { return }
    session.lastTickle = max(session.lastTickle, loop.now)
    let interval = configuration.ticklerInterval.nanoseconds
    session.tickler = Task(executorPreference: loop.background) { [weak self, loop] in
      var next = loop.now + interval
      while !Task.isCancelled {
        do { try await loop.sleep(until: next) } catch { return }
        guard let due = await self?.tickleIfDue(interval) else { return }
        next = due
      }
    }
  }

  /// Ends what ``startTickler()`` started.
  public func stopTickler() {
    session.tickler?.cancel()
    session.tickler = nil
  }

  /// Tickles if nobody has done so for the interval.
  ///
  /// - Returns: When to come again; nil for never.
  private func tickleIfDue(_ interval: Int64) async -> Int64? {
    guard session.tickler != nil else { return nil }
    let due = session.lastTickle + interval
    guard due <= loop.now else { return due }
    do throws(IbkrError) {
      _ = try await tickle()
    } catch {
      if error.code == .closed { return nil }
      logger.warning("the session could not be kept alive", metadata: ["why": "\(error)"])
    }
    return session.lastTickle + interval
  }

  // MARK: The end

  /// Lets SIGINT, SIGTERM and ``close()`` give the session back.
  ///
  /// A signal closes this client, and is then handed on to the handler that was there before, or
  /// ends the process. In a program that blocks these signals, as `ibkr` does, they come to that
  /// program alone.
  public func registerShutdownHandler() {
    guard usesOAuth, !session.givesBack, !session.isOver else { return }
    session.givesBack = true
    session.exitDuty = ExitSignals.add { [weak self] in await self?.close() }
    if session.exitDuty == nil {
      logger.warning("signals will not give the session back: no thread or descriptor is left")
    }
  }

  /// Gives the session back, if that was agreed; a gateway's never.
  func endSession() async {
    stopTickler()
    if let duty = session.exitDuty.take() { ExitSignals.remove(duty) }
    guard usesOAuth, !session.isOver else { return }
    defer { session.isOver = true }
    guard session.givesBack, session.token != nil else { return }
    do throws(IbkrError) {
      try await logout()
    } catch {
      logger.warning("the session could not be given back", metadata: ["why": "\(error)"])
    }
  }
}
