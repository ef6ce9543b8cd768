// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import JSON
import Logging
import Transport
import WebSocket

extension IbkrWsClient {
  /// A machine that slept longer than this has lost what was sent meanwhile.
  static let noticeableSuspension: Int64 = 2_000_000_000

  // MARK: - What comes in

  /// Takes what one read gave: numbers it, routes it, hands it on.
  func take(_ received: ReceivedBatch) {
    let (realtime, monotonic) = (received.timestamp.realtime, received.timestamp.monotonic)
    if overflow != nil, !broadcast.isShedding { endOverflow() }
    let messages = received.messages
    // A ping or a pong says that the gateway lives; only a message has come the whole way (protocol
    // reference 1.6).
    var hasMessages = false
    if pings.deadline != nil { pings.heard(at: monotonic) }
    intake.builder.reserve(events: messages.count, bytes: messages.byteCount)
    for index in 0..<messages.count {
      if messages[index].kind.isData { hasMessages = true }
      switch intake.add(messages, index, realtime: realtime, monotonic: monotonic) {
      case .none: continue
      case .answered(let number, let isImage):
        if let id = messages.historyID(at: index) { reconciler.named(number, id) }
        answered(number, isImage: isImage, realtime: realtime, monotonic: monotonic)
      case .unclaimed:
        if let id = messages.historyID(at: index) { reconciler.unclaimed(id) }
        rearm()
      case .control:
        control(messages, index)
      }
    }
    for answer in received.answers {
      intake.add(answer: answer, realtime: realtime, monotonic: monotonic)
    }
    if hasMessages {
      heartbeat.heard(at: monotonic)
      lastAlive = received.timestamp
      lastSeq = intake.builder.nextSeq - 1
    }
    publish()
  }

  private func answered(_ number: UInt32, isImage: Bool, realtime: Int64, monotonic: Int64) {
    let seq = intake.builder.nextSeq - 1
    perform(reconciler.answered(number, isImage: isImage, at: monotonic, using: &jitter))
    guard let key = reconciler.key(number) else { return }
    let moment = Gap.Moment(realtime: realtime, monotonic: monotonic)
    if let before = acquit(number, isImage: isImage),
      let gap = gaps.begin(
        .expired,
        detectedBy: "silent, and the image it was asked for holds news",
        start: before.lastHeard,
        after: before.lastSeq,
        subscriptions: [key]
      )
    {
      tell(.gap(gap))
    }
    if let gap = gaps.recovered(key, at: moment, seq: seq) { tell(.gap(gap)) }
  }

  /// A message about the session, or an error.
  private func control(_ messages: MessageBatch, _ index: Int) {
    guard let message = try? JSONValue(parsing: messages.bytes(of: index)) else { return }
    if let words = message["error"]?.string {
      let text = ServerWords.sanitized(words)
      logger.warning("the server reports an error", metadata: ["error": "\(text)"])
      if let number = intake.builder.lastSubscription { perform(reconciler.refused(number, text)) }
      return
    }
    guard let topic = intake.builder.lastTopic else { return }
    perform(supervisor.receive(topic, message, at: loop.timestamp()))
  }

  // MARK: - What follows

  func perform(_ actions: [SubscriptionReconciler.Action]) {
    for action in actions {
      switch action {
      case .send(let command, let number):
        if let number { intake.router.awaitAnswer(to: number) }
        outbox?.yield(OutgoingCommand(text: command, topic: Topic(command: command)))
      case .state(let key, let state):
        tell(.subscription(key, state))
        noteSilence(of: key, state)
      }
    }
    if !actions.isEmpty { rearm() }
  }

  /// Does what is due, and ends the gaps of those that are active without an answer: who has no orders
  /// gets none.
  private func performDue(_ actions: [SubscriptionReconciler.Action]) {
    perform(actions)
    let now = loop.timestamp()
    let moment = Gap.Moment(realtime: now.realtime, monotonic: now.monotonic)
    for case .state(let key, .active) in actions {
      let seq = intake.builder.nextSeq - 1
      if let gap = gaps.recovered(key, at: moment, seq: seq) { tell(.gap(gap)) }
    }
  }

  /// Ends the connection from our side; the supervisor asks for a new one.
  func giveUp(_ loss: ConnectionLoss) {
    guard verdict == nil, let connection else { return }
    verdict = loss
    connection.assumeIsolated { $0.abort() }
  }

  // MARK: - Gaps

  func beginGap(_ reason: GapReason, detectedBy: String) {
    let start = Gap.Moment(realtime: lastAlive.realtime, monotonic: lastAlive.monotonic)
    let gap = gaps.begin(
      reason,
      detectedBy: detectedBy,
      start: start,
      after: lastSeq,
      subscriptions: reconciler.askedKeys
    )
    if let gap { tell(.gap(gap)) }
  }

  /// A subscriber loses events from now on.
  func beginOverflow() {
    guard overflow == nil else { return }
    let now = loop.timestamp()
    let gap = Gap(
      id: gaps.nextID(),
      phase: .began,
      start: Gap.Moment(realtime: now.realtime, monotonic: now.monotonic),
      reason: .overflow,
      detectedBy: "a subscriber that must not lose events took none for "
        + "\(configuration.backpressurePatience)",
      subscriptions: reconciler.keys,
      seqFirst: lastSeq
    )
    overflow = gap
    tell(.gap(gap))
  }

  /// Nobody loses events any longer.
  func endOverflow() {
    guard var gap = overflow.take() else { return }
    let now = loop.timestamp()
    gap.phase = .ended
    gap.end = Gap.Moment(realtime: now.realtime, monotonic: now.monotonic)
    gap.seqLast = intake.builder.nextSeq
    gap.count = UInt64(broadcast.settleLosses())
    tell(.gap(gap))
    orders.missed(since: gap.start.realtime, at: now.monotonic)
    wake(.asking)
  }

  // MARK: - Time

  /// Sets the one timer to the next time at which there is something to do.
  func rearm() {
    if let timer { loop.cancel(timer) }
    timer = nil
    guard phase == .running else { return }
    let deadlines = [
      greetingDeadline, heartbeat.deadline, pings.deadline, reconciler.deadline, gaps.deadline,
      nextTic,
      nextLook,
    ]
    guard let next = deadlines.compactMap(\.self).min() else { return }
    timer = loop.schedule(at: next) { [weak self] in
      self?.assumeIsolated { $0.act() }
    }
  }

  private func act() {
    timer = nil
    let now = loop.now
    if let greetingDeadline, greetingDeadline <= now {
      self.greetingDeadline = nil
      giveUp(
        supervisor.state.isWaitingForSession
          ? ConnectionLoss(
            .auth,
            "the server waits for a session",
            error: IbkrError(
              .authentication,
              "the server does not know our session",
              at: ibkrClient.webSocketURL.origin,
              remedy: "log in at the gateway again"
            )
          )
          : ConnectionLoss(
            .silence,
            "no greeting within \(configuration.greetingTimeout)",
            error: IbkrError(
              .timeout,
              "the server did not greet within \(configuration.greetingTimeout)",
              at: ibkrClient.webSocketURL.origin,
              remedy: "is the gateway logged in and connected to IBKR?"
            )
          )
      )
    }
    if heartbeat.isDead(at: now) {
      heartbeat.stop()
      let words = "nothing heard for \(configuration.heartbeatTimeout)"
      giveUp(ConnectionLoss(.silence, words, error: IbkrError(.timeout, words)))
    }
    switch pings.act(at: now) {
    case .ping: outbox?.yield(.ping)
    case .giveUp:
      let words = "a ping was not answered for \(configuration.pongTimeout)"
      giveUp(ConnectionLoss(.silence, words, error: IbkrError(.timeout, words)))
    case nil: break
    }
    if let nextTic, nextTic <= now {
      self.nextTic = now + configuration.ticInterval.nanoseconds
      outbox?.yield(OutgoingCommand(text: "tic", topic: .tic))
    }
    lookForSilence(at: now)
    performDue(reconciler.act(at: now, using: &jitter))
    for gap in gaps.expire(at: now) { tell(.gap(gap)) }
    rearm()
  }
}
