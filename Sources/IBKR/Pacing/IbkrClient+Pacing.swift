// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import HTTPClient
import Logging
import Transport

/// The requests of one client that wait for their turn.
struct PacingQueue {
  var pacer = Pacer()
  var waiting: [Pacer.Ticket: CheckedContinuation<Pacer.Verdict?, Never>] = [:]
  var timer: TimerToken?
}

extension IbkrClient {
  /// Waits until a request may be sent.
  ///
  /// - Returns: The request's number, for ``passed(_:_:)``.
  /// - Throws: ``IbkrError`` with `rateLimited` if it must not be sent for longer than anybody
  ///   waits; nothing has been sent then.
  func pace(
    _ method: HTTPMethod,
    _ path: String,
    _ urgency: CallUrgency
  ) async throws(IbkrError) -> Pacer.Ticket {
    let ticket = pacing.pacer.enqueue(
      method,
      path,
      urgency,
      at: loop.now,
      patience: configuration.requestTimeout.nanoseconds
    )
    let verdict = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        pacing.waiting[ticket] = continuation
        if Task.isCancelled { withdraw(ticket) } else { admit() }
      }
    } onCancel: {
      loop.schedule(at: 0) { self.assumeIsolated { $0.withdraw(ticket) } }
    }
    switch verdict {
    case .send: return ticket
    case nil: throw IbkrError(.closed, "the call was cancelled", at: "\(method.name) \(path)")
    case .refuse(let wait):
      let pause = Duration.nanoseconds(wait)
      throw IbkrError(
        .rateLimited,
        "IBKR's limits allow no such call for \(Int(pause / .seconds(1)) + 1) s; none was made",
        at: "\(method.name) \(path)",
        retryAfter: pause
      )
    }
  }

  /// Tells what became of a request that was sent.
  ///
  /// - Parameters:
  ///   - ticket: The request.
  ///   - response: The answer; nil if there was none.
  func passed(_ ticket: Pacer.Ticket, _ response: HTTPResponse?) {
    if let head = response?.head, head.status == 429 {
      let said = head.fields["Retry-After"].flatMap {
        RetryAfter.nanoseconds(of: $0, now: loop.timestamp().realtime)
      }
      let pause = pacing.pacer.refused(ticket, retryAfter: said, at: loop.now)
      logger.error(
        "IBKR was asked too often (429): nothing is asked for a while",
        metadata: ["pause_s": "\(pause / 1_000_000_000)"]
      )
    } else {
      pacing.pacer.ended(ticket, isAnswered: response != nil, at: loop.now)
    }
    admit()
  }

  /// Lets go who may, and comes again when the next one may.
  private func admit() {
    for (ticket, verdict) in pacing.pacer.decide(at: loop.now) {
      pacing.waiting.removeValue(forKey: ticket)?.resume(returning: verdict)
    }
    if let timer = pacing.timer.take() { loop.cancel(timer) }
    guard let next = pacing.pacer.deadline(at: loop.now) else { return }
    pacing.timer = loop.schedule(at: next) { [weak self] in
      self?.assumeIsolated { client in
        client.pacing.timer = nil
        client.admit()
      }
    }
  }

  private func withdraw(_ ticket: Pacer.Ticket) {
    guard let continuation = pacing.waiting.removeValue(forKey: ticket) else { return }
    pacing.pacer.withdraw(ticket)
    continuation.resume(returning: nil)
  }
}
