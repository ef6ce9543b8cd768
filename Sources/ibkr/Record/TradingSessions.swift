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

  /// Wants and releases until the task is cancelled.
  ///
  /// - Parameters:
  ///   - holder: Who subscribes.
  ///   - loop: Has the clock.
  ///   - hours: Asks for the hours of an instrument.
  /// - Throws: `IbkrError` for a feed that cannot be subscribed to; `CancellationError`.
  func run(
    _ holder: some SubscriptionHolder,
    on loop: EventLoop,
    hours: (Target) async throws(IbkrError) -> TradingHours
  ) async throws {
    var watched = targets.map { Watched(target: $0) }
    while true {
      var wake = Int64.max
      var (count, first) = (0, Int64?.none)
      for index in watched.indices {
        if watched[index].nextQuestion <= loop.seconds {
          await learn(&watched[index], at: loop.seconds, hours)
        }
        let plan = TradingPlan(watched[index].hours, at: loop.seconds)
        try await follow(plan, &watched[index], holder)
        if !plan.isOpen {
          count += 1
          first = [first, plan.until].compactMap(\.self).min()
        }
        wake = min(wake, plan.until ?? .max)
      }
      opening.withLock { $0 = (count, first) }
      let pause = min(max(1, wake - loop.seconds), Self.longestSleep)
      try await loop.sleep(for: .seconds(pause))
    }
  }

  private func learn(
    _ watched: inout Watched,
    at now: Int64,
    _ hours: (Target) async throws(IbkrError) -> TradingHours
  ) async {
    do throws(IbkrError) {
      watched.hours = try await hours(watched.target)
      watched.nextQuestion = now + Self.refresh
    } catch {
      watched.nextQuestion = now + Self.retry
      let effect = watched.hours == nil ? ": it is recorded meanwhile" : ""
      logger.warning(
        "the trading hours of \(watched.target.name) could not be asked for\(effect)",
        metadata: ["why": "\(error)"]
      )
    }
  }

  private func follow(
    _ plan: TradingPlan,
    _ watched: inout Watched,
    _ holder: some SubscriptionHolder
  ) async throws {
    let until = plan.until.map { TimeText.text($0 * 1_000_000_000) }
    if plan.isOpen, watched.keys == nil {
      var keys: [SubscriptionKey] = []
      for feed in watched.target.feeds { keys.append(try await holder.want(feed)) }
      watched.keys = keys
      logger.info(
        "\(watched.target.name) is traded: recording\(until.map { " until \($0)" } ?? "")"
      )
    } else if !plan.isOpen, watched.keys != nil || !watched.isTold {
      for key in watched.keys ?? [] { await holder.release(key) }
      watched.keys = nil
      logger.info(
        "\(watched.target.name) is closed: recording from \(until ?? "an hour that is not known")"
      )
    }
    watched.isTold = true
  }
}

/// Who subscribes for somebody else.
protocol SubscriptionHolder: Sendable {
  /// Subscribes to a feed.
  func want(_ feed: some Feed) async throws(IbkrError) -> SubscriptionKey

  /// Ends a subscription.
  func release(_ key: SubscriptionKey) async
}

extension IbkrWsClient: SubscriptionHolder {}

extension EventLoop {
  /// Seconds since 1970.
  fileprivate var seconds: Int64 { timestamp().realtime / 1_000_000_000 }
}
