// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Logging
import Transport

// The bars of gaps by REST, behind everything else: `BackfillQueue` says when.
extension IbkrWsClient {
  /// Asks for the bars of some stretches of time, in their turn, as it is done after each gap with
  /// ``StreamConfiguration/fillsGaps``.
  ///
  /// The answers are events: messages of the kind `backfill`, and ``Event/backfill(_:at:)`` for what
  /// came of each stretch. What the end of the run has interrupted is told by nothing.
  ///
  /// - Parameter stretches: What to fill; what waits already is asked for once.
  public func fill(_ stretches: [Backfill]) {
    guard phase == .idle || phase == .running else { return }
    addBackfills(stretches)
  }

  func addBackfills(_ stretches: [Backfill]) {
    for stretch in stretches {
      let now = loop.timestamp()
      if let refused = backfills.add(stretch, at: now.monotonic, realtime: now.realtime) {
        tell(.backfill(refused))
      }
    }
    wake(.filling)
  }

  /// Asks what is to be asked, one question after another, until the run ends.
  func keepBackfills() async {
    while phase == .running, !Task.isCancelled {
      guard let question = backfills.next(at: loop.now) else {
        await sleep(.filling, until: backfills.deadline)
        continue
      }
      do throws(IbkrError) {
        let (answer, reading) = try await ibkrClient.ask(question.page)
        guard phase == .running else { return }
        let now = loop.timestamp()
        let outcome = backfills.answered(
          question,
          reading,
          at: now.monotonic,
          realtime: now.realtime
        )
        tell(outcome, of: answer)
      } catch {
        guard phase == .running, !Task.isCancelled else { return }
        logger.debug("bars could not be asked for", metadata: ["why": "\(error)"])
        let failure = BackfillQueue.Failure(error)
        if let progress = backfills.failed(question, failure, at: loop.now) {
          tell(.backfill(progress))
        }
      }
    }
  }

  private func tell(_ outcome: BackfillQueue.Outcome, of answer: [UInt8]) {
    let now = loop.timestamp()
    if let backfill = outcome.kept {
      answer.withUnsafeBytes {
        intake.builder.append(
          answer: $0,
          to: backfill,
          realtime: now.realtime,
          monotonic: now.monotonic
        )
      }
      publish()
    }
    if let progress = outcome.progress { tell(.backfill(progress)) }
  }
}

extension Gap {
  /// What can be filled of a gap that is over: a stretch for each instrument.
  var backfills: [Backfill] {
    guard phase == .ended, let end, end.realtime > start.realtime else { return [] }
    var seen: Set<String> = []
    return subscriptions.compactMap { key in
      // A combination has no conid, and no history either (protocol reference 6.5).
      guard key.topic == .marketData, let conid = key.conid, seen.insert(key.target).inserted
      else { return nil }
      return Backfill(
        gap: .own(id),
        conid: conid,
        exchange: key.exchange.map(String.init),
        range: start.realtime..<end.realtime
      )
    }
  }
}

extension BackfillQueue.Failure {
  /// What an error means for a question about history.
  init(_ error: IbkrError) {
    words = error.what
    switch error.code {
    case .rateLimited: kind = .limited(error.retryAfter?.nanoseconds)
    case .authentication, .sessionGone, .competing: kind = .session
    case .server where error.what.lowercased().contains("no data"): kind = .noData
    default: kind = .other
    }
  }
}
