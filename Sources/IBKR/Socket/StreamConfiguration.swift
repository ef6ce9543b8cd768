// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
public import WebSocket

/// How patient a stream is, and whom it lets wait.
public struct StreamConfiguration: Sendable {
  /// How long connecting may take, from the name look-up to the open WebSocket.
  public var connectTimeout = Duration.seconds(20)

  /// How long the greeting may take once the WebSocket is open.
  public var greetingTimeout = Duration.seconds(10)

  /// After how long without a message a connection counts as dead; the server speaks every 10 s.
  public var heartbeatTimeout = Duration.seconds(30)

  /// After how long a silence the connection is pinged; nil for never.
  ///
  /// A gateway answers by itself, so a pong says nothing of IBKR behind it: only a connection that is
  /// broken without a word is found by this, before ``heartbeatTimeout`` finds it.
  public var pingInterval: Duration? = .seconds(15)

  /// How long a ping may stay without an answer.
  public var pongTimeout = Duration.seconds(10)

  /// How often `tic` keeps the socket's session alive.
  public var ticInterval = Duration.seconds(60)

  /// The shortest pause between two attempts to connect.
  public var shortestRetryDelay = Duration.seconds(1)

  /// The longest pause between two attempts to connect.
  public var longestRetryDelay = Duration.seconds(60)

  /// How long a full subscriber with the policy `backpressure` may stop the reading.
  public var backpressurePatience = Duration.seconds(10)

  /// How long a subscription may be silent before it is asked for again.
  public var subscriptionTimeout = Duration.seconds(10)

  /// How often a silent subscription is asked for; nil for ever.
  public var subscriptionAttempts: Int?

  /// After how long market data is asked for again; it expires after 10 to 15 min without a word.
  public var renewalInterval = Duration.seconds(510)

  /// How many instruments the account may stream at a time; further ones wait until one ends
  /// (protocol reference 4.9: 100, more with booster packs).
  public var marketDataLines = 100

  /// How often orders are asked for by REST while the feed of orders is wanted.
  ///
  /// The feed cannot be relied on alone (protocol reference 4.11). At least five seconds, by the
  /// server's limits; nil for never but before the feed begins and after a gap.
  public var ordersPollInterval: Duration? = .seconds(30)

  /// Whether the bars of the time are asked for by REST after each gap, behind everything else.
  public var fillsGaps = false

  /// What to offer of permessage-deflate; nil for nothing, because the gateway does not speak it.
  public var deflate: PerMessageDeflate?

  /// Whether a fault before the first greeting is waited out instead of ending the run.
  public var waitsForServer = false

  /// Whether to throw out another login of the same user name.
  ///
  /// nil throws it out once, at the start, with OAuth, as IBind does it, and never with a gateway,
  /// where a person has logged in.
  public var compete: CompetePolicy?

  /// Where the servers are whose nightly reset ends the session.
  public var region = SessionRegion.america

  /// Whether ``IbkrWsClient/book`` is kept, which costs a tenth of a microsecond for every quote.
  public var keepsBook = true

  /// Whether a loss in one of IBKR's windows of maintenance is taken for that; not so in tests by the
  /// machine's clock, which must come out the same at any time of day.
  package var observesMaintenance = true

  /// The seed of all random delays; nil for a different one each time.
  package var seed: UInt64?

  /// Creates a configuration with the default of every property.
  public init() {}
}

extension SessionSupervisor.Rules {
  /// How a stream keeps its session.
  init(_ configuration: StreamConfiguration, _ client: IbkrClient) {
    if let oauth = client.configuration.oauth {
      login = .oauth
      compete = configuration.compete ?? (oauth.competesAtStart ? .start : .never)
      generatesToken = oauth.initOAuth
      opensSession = oauth.initOAuth && oauth.initBrokerageSession
      tickles = oauth.initOAuth && oauth.maintainOAuth
    } else {
      compete = configuration.compete ?? .never
    }
    calendar = MaintenanceCalendar(
      region: configuration.region,
      isObserved: configuration.observesMaintenance
    )
    tickleInterval = client.configuration.ticklerInterval.nanoseconds
    let shortest = configuration.shortestRetryDelay
    retryDelay = shortest...max(shortest, configuration.longestRetryDelay)
    if configuration.waitsForServer { patience = nil }
    place = client.base.origin
  }
}

extension StreamConfiguration {
  /// When orders are asked for.
  var orderTiming: OrderSync.Timing {
    var timing = OrderSync.Timing()
    timing.interval = ordersPollInterval.map { max($0.nanoseconds, timing.spacing) }
    return timing
  }

  /// The reconciler's times.
  var timing: SubscriptionReconciler.Timing {
    var timing = SubscriptionReconciler.Timing()
    timing.firstRetry = subscriptionTimeout.nanoseconds
    timing.lastRetry = max(timing.lastRetry, timing.firstRetry)
    timing.renewal = renewalInterval.nanoseconds
    timing.renewalJitter = min(timing.renewalJitter, timing.renewal / 4)
    timing.attempts = subscriptionAttempts
    timing.marketDataLines = max(1, marketDataLines)
    timing.asksBefore = [.orders]
    return timing
  }
}
