// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Logging
import OAuth1a
import Transport

extension IbkrWsClient {
  /// Makes the calls that the supervisor wants, one after another, until the run ends.
  func keepSession() async {
    let (lifetime, hasCompeted) = await ibkrClient.beginSupervision()
    perform(
      supervisor.begin(tokenLifetime: lifetime, hasCompeted: hasCompeted, at: loop.timestamp())
    )
    while phase == .running, !Task.isCancelled {
      let wasAttempting = supervisor.isAttempting
      guard let call = supervisor.next(at: loop.timestamp()) else {
        if supervisor.isAdmitted { wake(.connecting) }
        await sleep(.calling, until: supervisor.deadline)
        continue
      }
      if supervisor.isAttempting, !wasAttempting {
        tell(.connection(.connecting(attempt: supervisor.attempt)))
      }
      do throws(IbkrError) {
        let answer = try await make(call)
        perform(supervisor.answered(answer, at: loop.timestamp()))
      } catch {
        guard phase == .running, !Task.isCancelled else { break }
        logger.debug("a call about the session failed", metadata: ["why": "\(error)"])
        perform(
          supervisor.refused(SessionSupervisor.Refusal(error), error, at: loop.timestamp())
        )
      }
    }
  }

  private func make(
    _ call: SessionSupervisor.Call
  ) async throws(IbkrError) -> SessionSupervisor.Answer {
    switch call {
    case .generateToken:
      try await ibkrClient.generateLiveSessionToken()
      return .token(lifetime: await ibkrClient.tokenLifetime)
    case .status:
      return .status(try await ibkrClient.authStatus())
    case .openSession(let compete):
      return .opened(try await ibkrClient.openBrokerageSession(compete: compete))
    case .accounts:
      try await ibkrClient.accounts()
      return .accounts
    case .tickle:
      let tickle = try await ibkrClient.tickle()
      cookie = tickle
      return .tickle(session: tickle.digest, tickle.status)
    }
  }

  func perform(_ actions: [SessionSupervisor.Action]) {
    for action in actions {
      switch action {
      case .greeted:
        hasBeenGreeted = true
        greetingDeadline = nil
        heartbeat.start(at: loop.now)
        pings.heard(at: loop.now)
        nextTic = loop.deadline(after: configuration.ticInterval)
        tell(.connection(.ready))
      case .changed(let state):
        tell(.session(state))
        if supervisor.isUsable { becameUsable() }
      case .sendSession:
        guard let cookie else { break }
        outbox?.yield(
          OutgoingCommand(
            text: "{\"session\":\"\(cookie.session.exposedText)\"}",
            topic: .waitingForSession
          )
        )
      case .suspended(let reason, let words):
        beginGap(reason, detectedBy: words)
        perform(reconciler.lost())
        orders.lost(since: lastAlive.realtime)
        backfills.lost()
      case .reconnect(let reason, let words):
        giveUp(ConnectionLoss(reason, words, error: IbkrError(.authentication, words)))
      case .failed(let loss, let delay):
        failed(loss, retryAfter: delay)
      }
    }
    if !actions.isEmpty { rearm() }
    // Also what is nothing to tell may have changed what is due when.
    wake(.calling)
  }

  /// Commands have effect, and calls have answers.
  private func becameUsable() {
    reconciler.ready()
    orders.opened(at: loop.now)
    backfills.opened(at: loop.now)
    wake(.filling)
    if orders.hasOpened { reconciler.admit(.orders) }
    wake(.asking)
  }

  /// There is no connection: data is missing from now on, and nothing is awaited any longer.
  private func failed(_ loss: ConnectionLoss, retryAfter delay: Int64) {
    heartbeat.stop()
    pings.stop()
    greetingDeadline = nil
    nextTic = nil
    beginGap(loss.reason, detectedBy: loss.detectedBy)
    perform(reconciler.lost())
    orders.lost(since: lastAlive.realtime)
    backfills.lost()
    guard hasBeenGreeted || configuration.waitsForServer else {
      failure = loss.error
      wake(.connecting)
      return
    }
    tell(.connection(.lost(loss.reason, description: loss.detectedBy, retryAfter: delay)))
  }
}

extension SessionSupervisor.Refusal {
  /// What an error says about the session.
  init(_ error: IbkrError) {
    self =
      switch error.code {
      case .authentication: .unauthorized
      case .sessionGone: .gone
      case .rateLimited: .limited(retryAfter: error.retryAfter?.nanoseconds)
      default: .unanswered
      }
  }
}

extension Tickle {
  /// A digest of the session, to tell whether it has changed without keeping it.
  var digest: UInt64 {
    session.withExposedBytes { span in
      span.withUnsafeBytes { Digest.of($0) }
    }
  }
}
