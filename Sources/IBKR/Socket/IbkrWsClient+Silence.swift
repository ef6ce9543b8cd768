// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Logging
import Transport

// A subscription that has gone quiet: asked for its image first, then looked up by REST, and only if
// that shows that data is being missed the connection is made anew (protocol reference 4.9).
extension IbkrWsClient {
  /// A reconnection that did not help an instrument is not repeated for its sake before this.
  private static let rescueInterval: Int64 = 3_600_000_000_000

  /// A subscription is in another state.
  func noteSilence(of key: SubscriptionKey, _ state: SubscriptionState) {
    guard key.topic == .marketData else { return }
    switch state {
    case .active:
      silence.begin(key.number, messages: intake.router.life(of: key.number).ticks, at: loop.now)
      if nextLook == nil { nextLook = silence.deadline(after: loop.now) }
    case .renewing: break
    case .stale:
      // A renewal that brought nothing is as good a reason as a silence.
      if suspects[key.number] == nil { suspects[key.number] = intake.router.life(of: key.number) }
      checkInput.yield(key)
    case .pending, .requested, .failed, .ended: silence.end(key.number)
    }
    if state == .ended || state == .pending { suspects[key.number] = nil }
  }

  /// Looks who has been silent for too long.
  func lookForSilence(at now: Int64) {
    guard let due = nextLook, due <= now else { return }
    nextLook = silence.deadline(after: now)
    let seconds = loop.timestamp().realtime / 1_000_000_000
    let found = silence.look(at: now) { number in
      intake.router.life(of: number).ticks
    } isExpected: { [reconciler, tradingHours] number in
      let hours = reconciler.key(number)?.conid.flatMap { tradingHours[$0] }
      return hours?.isOpen(at: seconds) ?? true
    }
    for (number, length) in found {
      guard let key = reconciler.key(number) else { continue }
      logger.info(
        "silent, asking for its image",
        metadata: ["subscription": "\(key)", "silent_s": "\(length / 1_000_000_000)"]
      )
      suspects[number] = intake.router.life(of: number)
      reconciler.suspect(number, at: now)
    }
  }

  /// A suspect has sent something.
  ///
  /// News in its image may also have come about between the question and the image, and then nothing
  /// is missing; but whether they are all that there was, nobody can tell. A gap that was none does
  /// less harm than a loss that nobody was told of.
  ///
  /// - Returns: Its last sign of life if it may have missed something: its image holds news.
  func acquit(_ number: UInt32, isImage: Bool) -> FeedLife? {
    let life = intake.router.life(of: number)
    // An image that begins without a value says nothing yet.
    guard life.hasValue || !isImage else { return nil }
    guard let before = suspects.removeValue(forKey: number), isImage else { return nil }
    guard life.news > before.news else {
      silence.provedQuiet(number, messages: life.ticks, at: loop.now)
      return nil
    }
    return before
  }

  /// Looks suspects up that did not send their image, one after another, until the run ends.
  func checkSuspects() async {
    for await key in checks {
      guard phase == .running, let conid = key.conid else { continue }
      await learnHours(of: conid)
      let values: [(field: Int, value: String)]
      do throws(IbkrError) {
        values = try await ibkrClient.latestValues(of: conid)
      } catch {
        logger.info("a silent subscription could not be looked up", metadata: ["why": "\(error)"])
        values = []
      }
      judge(key, isMissingNews: intake.router.isNews(values, to: key.number))
    }
  }

  /// Compares what REST says with what the subscription has brought.
  ///
  /// - Parameters:
  ///   - key: The subscription.
  ///   - isMissingNews: Whether REST has other values; nil if it does not say.
  private func judge(_ key: SubscriptionKey, isMissingNews: Bool?) {
    guard let before = suspects[key.number], supervisor.isUsable else { return }
    let now = loop.now
    if isMissingNews == false {
      // It is quiet, and the server sends no image for a renewal.
      suspects[key.number] = nil
      perform(reconciler.excused(key.number, at: now, using: &jitter))
      silence.provedQuiet(key.number, messages: intake.router.life(of: key.number).ticks, at: now)
      return
    }
    let words =
      isMissingNews == nil
      ? "no image when asked for, and REST does not say whether there are news"
      : "no image when asked for, while REST has news"
    if let gap = gaps.begin(
      .silence,
      detectedBy: words,
      start: before.lastHeard,
      after: before.lastSeq,
      subscriptions: [key]
    ) {
      tell(.gap(gap))
    }
    guard isMissingNews == true, now >= lastRescue[key.number, default: .min] else { return }
    lastRescue[key.number] = now + Self.rescueInterval
    giveUp(ConnectionLoss(.silence, words, error: IbkrError(.timeout, "\(key): \(words)")))
  }

  private func learnHours(of conid: Int) async {
    let seconds = loop.timestamp().realtime / 1_000_000_000
    guard tradingHours[conid]?.isOpen(at: seconds) == nil else { return }
    do throws(IbkrError) {
      tradingHours[conid] = try await ibkrClient.tradingHours(of: conid)
    } catch {
      // Without them any silence counts, which costs a question more.
      logger.debug("no trading hours", metadata: ["conid": "\(conid)", "why": "\(error)"])
    }
  }
}
