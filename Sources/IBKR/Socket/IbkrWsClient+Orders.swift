// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Logging
import Transport

// Orders and executions by REST, beside the feeds and after gaps: `OrderSync` says when.
extension IbkrWsClient {
  /// Asks what is to be asked, one question after another, until the run ends.
  func keepOrders() async {
    while phase == .running, !Task.isCancelled {
      let now = loop.timestamp()
      guard let question = orders.next(at: now.monotonic, realtime: now.realtime) else {
        await sleep(.asking, until: orders.deadline)
        continue
      }
      do throws(IbkrError) {
        take(try await ask(question), to: question)
      } catch {
        guard phase == .running, !Task.isCancelled else { return }
        logger.info("orders could not be asked for", metadata: ["why": "\(error)"])
        orders.failed(question, retryAfter: error.retryAfter?.nanoseconds, at: loop.now)
      }
      if orders.hasOpened { admitOrders() }
    }
  }

  /// Other feeds are wanted than before.
  func noteWantedOrders() {
    let topics = Set(reconciler.keys.map(\.topic))
    orders.want(
      orders: topics.contains(.orders),
      executions: topics.contains(.trades),
      at: loop.now
    )
    wake(.asking)
  }

  /// `sor` may be subscribed to: the server has been asked for orders before.
  func admitOrders() {
    reconciler.admit(.orders)
    rearm()
  }

  /// A subscription that may have nothing to say is open again: the time without it is over.
  func endSilentGap(of key: SubscriptionKey) {
    guard key.manners?.answer == .perhapsNone, gaps.isOpen(for: key) else { return }
    let now = loop.timestamp()
    let moment = Gap.Moment(realtime: now.realtime, monotonic: now.monotonic)
    let seq = intake.builder.nextSeq - 1
    if let gap = gaps.recovered(key, at: moment, seq: seq) { tell(.gap(gap)) }
  }

  private func ask(
    _ question: OrderSync.Question
  ) async throws(IbkrError) -> IbkrClient.Answer {
    switch question {
    case .orders(let isForced): try await ibkrClient.askForOrders(forced: isForced)
    case .executions(let days): try await ibkrClient.askForExecutions(days: days)
    }
  }

  private func take(_ answer: IbkrClient.Answer, to question: OrderSync.Question) {
    guard phase == .running else { return }
    let key = reconciler.keys.first { $0.topic == .orders }
    let verdict = orders.answered(
      question,
      OrderSync.Answer(answer),
      heard: key.map { intake.router.life(of: $0.number).ticks } ?? 0,
      at: loop.now
    )
    guard case .tell(let kind) = verdict else { return }
    let now = loop.timestamp()
    intake.add(
      answer: answer.bytes,
      as: kind,
      realtime: now.realtime,
      monotonic: now.monotonic
    )
    publish()
    // Whatever the feed has missed is known now.
    if kind == .resync, case .orders = question, let key { endSilentGap(of: key) }
  }
}

extension OrderSync.Answer {
  /// Looks at an answer about orders, or a list of executions.
  init(_ answer: IbkrClient.Answer) {
    let list = answer.value.elements ?? answer.value["orders"]?.elements ?? []
    isEmpty = list.isEmpty
    isSnapshot = answer.value["snapshot"]?.bool
    digest = answer.bytes.withUnsafeBytes { Digest.of($0) }
  }
}
