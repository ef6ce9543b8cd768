// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import IBKR

extension Family {
  /// What can happen to a login and to a brokerage session.
  static let session = Family(name: "session", trials: oauth + gateway)

  private static let oauth: [Trial] = [
    Trial(
      name: "token-loss",
      summary: "the live session token has ended at 30 s: 401 until there is another one",
      events: [.init(.tokenLoss, after: start)],
      sees: [.ready, .degraded, .liveSessionToken, .established, .ready],
      avoids: [.loggedOut, .competing],
      readyBy: .seconds(90),
      // A late token is another login: the brokerage session of the old one has gone with it.
      gaps: [.auth]
    ),
    Trial(
      name: "token-renewal",
      summary: "live session tokens live for two minutes: each is replaced before its end",
      events: [],
      tokenLifetime: .seconds(120),
      duration: .seconds(900),
      avoids: [.degraded, .loggedOut, .brokerageSession],
      readyBy: .seconds(10)
    ),
    Trial(
      name: "gone",
      summary: "every request is answered 410 for 40 s",
      events: [.init(.gone(for: .seconds(40)), after: start)],
      sees: [.ready, .degraded, .liveSessionToken, .established, .ready],
      readyBy: .seconds(180),
      gaps: [.auth]
    ),
    Trial(
      name: "brokerage-loss",
      summary: "the brokerage session is dropped; its return is never told",
      events: [.init(.brokerageLoss(isAnnounced: true), after: start)],
      sees: [.ready, .liveSessionToken, .established, .ready],
      readyBy: .seconds(60),
      gaps: [.auth]
    ),
    Trial(
      name: "brokerage-loss-untold",
      summary: "the brokerage session is dropped without a word",
      events: [.init(.brokerageLoss(isAnnounced: false), after: start)],
      sees: [.ready, .liveSessionToken, .established, .ready],
      readyBy: .seconds(100),
      gaps: [.auth]
    ),
    Trial(
      name: "competing",
      summary: "another login holds the brokerage session for a minute; it is let be",
      events: [.init(.competingLogin(for: .seconds(60)), after: start)],
      sees: [.ready, .competing, .ready],
      readyBy: .seconds(180),
      gaps: [.competing]
    ),
    Trial(
      name: "competing-always",
      summary: "the same, and it is thrown out, a minute after the start at the earliest",
      events: [.init(.competingLogin(for: .seconds(60)), after: start)],
      compete: .always,
      sees: [.ready, .competing, .ready],
      readyBy: .seconds(75),
      gaps: [.competing]
    ),
    Trial(
      name: "nightly-reset",
      summary: "at 23:58 in New York there is no session for 5 minutes, then every login has ended",
      clock: Trial.beforeMidnight,
      events: [.init(.nightlyReset(for: .seconds(300)), after: start)],
      duration: .seconds(600),
      sees: [.ready, .maintenance, .ready],
      avoids: [.competing],
      readyBy: .seconds(450),
      gaps: [.maintenance]
    ),
    Trial(
      name: "retry-after",
      summary: "every request is answered 429 for a minute, with Retry-After: 60",
      events: [
        .init(.tooManyRequests(for: .seconds(60), retryAfter: .seconds(60)), after: start)
      ],
      sees: [.ready, .degraded, .ready],
      readyBy: .seconds(180)
    ),
    Trial(
      name: "too-many-requests",
      summary: "every request is answered 429 for two minutes, without Retry-After: IBKR's penalty "
        + "of a quarter of an hour is waited for in full",
      events: [.init(.tooManyRequests(for: .seconds(120), retryAfter: nil), after: start)],
      duration: .seconds(1_500),
      sees: [.ready, .degraded, .ready],
      readyBy: .seconds(1_200)
    ),
    Trial(
      name: "tickle-timeout",
      summary: "a tickle gets no answer for 90 s; quotes go on",
      events: [.init(.tickleTimeout(for: .seconds(90)), after: start)],
      sees: [.ready, .degraded, .ready],
      avoids: [.loggedOut, .liveSessionToken, .brokerageSession],
      readyBy: .seconds(200)
    ),
    Trial(
      name: "not-established",
      summary: "account data is not loaded for the first 20 s",
      events: [.init(.notEstablished(for: .seconds(20)), after: .zero)],
      sees: [.liveSessionToken, .brokerageSession, .established, .ready],
      readyBy: .seconds(35)
    ),
    Trial(
      name: "not-established-later",
      summary: "account data is not there for 20 s, after all was well",
      events: [.init(.notEstablished(for: .seconds(20)), after: .seconds(50))],
      sees: [.ready, .brokerageSession, .established, .ready],
      readyBy: .seconds(100),
      gaps: [.auth]
    ),
    Trial(
      name: "server-restart",
      summary: "nothing is accepted for 40 s",
      events: [.init(.refuseConnections(for: .seconds(40)), after: start)],
      sees: [.ready, .degraded, .established, .ready],
      readyBy: .seconds(150),
      gaps: [.disconnect]
    ),
  ]

  private static let gateway: [Trial] = [
    Trial(
      name: "gateway-brokerage-loss",
      summary: "a gateway's brokerage session is dropped without a word",
      server: .gateway,
      events: [.init(.brokerageLoss(isAnnounced: false), after: start)],
      sees: [.ready, .brokerageSession, .established, .ready],
      readyBy: .seconds(100),
      gaps: [.auth]
    ),
    Trial(
      name: "gateway-competing",
      summary: "another login holds a gateway's brokerage session for a minute; it is let be",
      server: .gateway,
      events: [.init(.competingLogin(for: .seconds(60)), after: start)],
      sees: [.ready, .competing, .ready],
      readyBy: .seconds(180),
      gaps: [.competing]
    ),
    Trial(
      name: "gateway-login-loss",
      summary: "nobody is logged in at the gateway for two minutes, then a person comes",
      server: .gateway,
      events: [.init(.loginLoss(for: .seconds(120)), after: start)],
      sees: [.ready, .loggedOut, .ready],
      readyBy: .seconds(240),
      gaps: [.auth]
    ),
    Trial(
      name: "gateway-nightly-reset",
      summary: "at 23:58 in New York a gateway has no session for 5 minutes, then a person comes",
      server: .gateway,
      clock: Trial.beforeMidnight,
      events: [.init(.nightlyReset(for: .seconds(300)), after: start)],
      duration: .seconds(600),
      sees: [.ready, .maintenance, .ready],
      readyBy: .seconds(450),
      gaps: [.maintenance]
    ),
  ]
}
