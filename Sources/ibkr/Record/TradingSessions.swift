// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import IBKR
import Logging
import Transport

/// Wants instruments while they are traded, and not while they are not.
///
/// A subscription that is ended leaves no gap: nothing is missing of a market that is closed.
final class TradingSessions: Sendable {
  /// An instrument and what is wanted of it.
  struct Target: Sendable {
    let name: String
    let conid: Int
    let exchange: String?
    let feeds: [any Feed]
  }

  private struct Watched {
    let target: Target
    var hours: TradingHours?
    var nextQuestion = Int64.min
    /// What is subscribed to; nil while it is closed, and until it is known.
    var keys: [SubscriptionKey]?
    var isTold = false
  }

  private let targets: [Target]
  private let logger: Logger
  private let opening = Locked<(closed: Int, next: Int64?)>((0, nil))

  /// How often hours are asked for anew, in seconds: exchanges change them.
  private static let refresh: Int64 = 6 * 3_600
  /// After how long a question that failed is asked again, in seconds.
  private static let retry: Int64 = 300
  /// The longest sleep: the clock may be set, and the machine suspended.
  private static let longestSleep: Int64 = 15

  /// Prepares to watch.
  init(_ targets: [Target], logger: Logger) {
    self.targets = targets
    self.logger = logger
  }

  /// How many instruments are closed, and when the first of them opens, in seconds since 1970.
  var closed: (count: Int, next: Int64?) {
    let (count, next) = opening.withLock { $0 }
    return (count, next)
  }

  /// Wants and releases until the stream is to end.
  ///
  /// - Parameters:
  ///   - stream: Whose subscriptions.
  ///   - client: Who is asked for the hours.
  ///   - stop: What ends it.
  /// - Throws: `IbkrError` for a feed that cannot be subscribed to.
  func run(
    _ stream: some MarketSource,
    client: IbkrClient,
    until stop: Stop
  ) async throws {
    var watched = targets.map { Watched(target: $0) }
    while true {
      var now = client.loop.timestamp().realtime / 1_000_000_000
      for index in watched.indices where watched[index].nextQuestion <= now {
        let target = watched[index].target
        let answer = try await stop.unlessAsked { [logger] in
          await Self.hours(of: target, client, logger)
        }
        guard let answer else { return }
        watched[index].hours = answer.known ?? watched[index].hours
        watched[index].nextQuestion = now + (answer.known == nil ? Self.retry : Self.refresh)
      }
      now = client.loop.timestamp().realtime / 1_000_000_000
      var next = now + Self.longestSleep
      var (count, first) = (0, Int64?.none)
      for index in watched.indices {
        let plan = TradingPlan(watched[index].hours, at: now)
        try await follow(plan, &watched[index], stream)
        if !plan.isOpen {
          count += 1
          first = [first, plan.until].compactMap(\.self).min()
        }
        if let until = plan.until { next = min(next, until) }
      }
      opening.withLock { $0 = (count, first) }
      let pause = Duration.seconds(max(1, next - now))
      let isOver = try await stop.unlessAsked {
        try await client.loop.sleep(for: pause)
        return false
      }
      if isOver == nil { return }
    }
  }

  private func follow(
    _ plan: TradingPlan,
    _ watched: inout Watched,
    _ stream: some MarketSource
  ) async throws {
    let until = plan.until.map { TimeText.text($0 * 1_000_000_000) }
    if plan.isOpen, watched.keys == nil {
      var keys: [SubscriptionKey] = []
      for feed in watched.target.feeds { keys.append(try await Self.want(feed, stream)) }
      watched.keys = keys
      logger.info(
        "\(watched.target.name) is traded: recording\(until.map { " until \($0)" } ?? "")"
      )
    } else if !plan.isOpen {
      if let keys = watched.keys { for key in keys { await stream.release(key) } }
      if watched.keys != nil || !watched.isTold {
        logger.info("\(watched.target.name) is closed until \(until ?? "further notice")")
      }
      watched.keys = nil
    }
    watched.isTold = true
  }

  private static func want(
    _ feed: some Feed,
    _ stream: some MarketSource
  ) async throws -> SubscriptionKey {
    try await stream.want(feed)
  }

  private static func hours(
    of target: Target,
    _ client: IbkrClient,
    _ logger: Logger
  ) async -> Answer {
    do throws(IbkrError) {
      return Answer(
        known: try await client.tradingHours(of: target.conid, exchange: target.exchange)
      )
    } catch {
      logger.warning(
        "the trading hours of \(target.name) are not known: it is recorded meanwhile",
        metadata: ["why": "\(error)"]
      )
      return Answer(known: nil)
    }
  }

  /// What was answered; nil if nothing was.
  private struct Answer {
    let known: TradingHours?
  }
}
