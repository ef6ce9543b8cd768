// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import JSON

/// What a socket is subscribed to besides quotes.
struct SocketFeeds: Sendable {
  /// A feed of the account whose figures change: its topic and target.
  struct Figures: Hashable, Sendable {
    let topic: String
    let target: String

    /// How long it takes until they are told again, in nanoseconds (protocol reference 4.13).
    var interval: Int64? {
      switch topic {
      case "spl": 1_000_000_000
      case "ssd": 3_000_000_000
      case "sld": 10_000_000_000
      default: nil
      }
    }
  }

  var requests: [String: BarRequest] = [:]
  var ladders: [PriceLadder] = []
  fileprivate var lastRequest = 20_962_327
}

extension SocketSession {
  /// What there is to do for feeds other than quotes.
  enum FeedDuty: Hashable, Sendable {
    case bars(id: String)
    case ladder(account: String)
    case figures(SocketFeeds.Figures)
  }

  private static let ladderInterval: Int64 = 500_000_000
  /// So many requests for bars at a time (protocol reference 4.10).
  private static let mostRequests = 5

  /// Begins a request for bars.
  mutating func requestBars(
    _ target: String,
    _ arguments: String,
    at now: Timestamp,
    _ gateway: GatewayState
  ) {
    guard gateway.login.authenticated, feeds.requests.count < Self.mostRequests,
      let conid = Int(target.prefix { $0 != "@" }), conid > 0
    else { return }
    let parameters = try? JSONValue(parsing: Array(arguments.utf8))
    feeds.lastRequest += 1
    let id = "\(feeds.lastRequest)"
    feeds.requests[id] = BarRequest(
      conid: conid,
      period: parameters?["period"]?.string,
      bar: parameters?["bar"]?.string,
      format: parameters?["format"]?.string,
      outsideRegularHours: parameters?["outsideRth"]?.bool ?? false
    )
    agenda.insert(.feed(.bars(id: id)), at: now.monotonic + gateway.options.imageDelay)
  }

  /// Ends a request for bars.
  mutating func endRequest(_ id: String, _ gateway: GatewayState) {
    guard feeds.requests.removeValue(forKey: id) != nil else { return }
    agenda.removeAll { $0 == .feed(.bars(id: id)) }
    say(#"{"message":"Unsubscribed \#(id)"}"#, gateway)
  }

  /// Begins a ladder; there is one for an account.
  mutating func openLadder(
    account: String,
    _ target: String,
    at now: Timestamp,
    _ gateway: inout GatewayState
  ) {
    guard gateway.login.authenticated, account == gateway.account.accountID,
      let conid = Int(target.prefix { $0 != "+" }),
      let instrument = gateway.options.catalogue[conid]
    else { return }
    endLadder(account: account, &gateway)
    feeds.ladders.append(PriceLadder(account: account, target: target, conid: conid))
    gateway.market.watch(instrument, from: now.monotonic)
    agenda.insert(
      .feed(.ladder(account: account)),
      at: now.monotonic + gateway.options.imageDelay
    )
  }

  /// Ends the ladder of an account.
  mutating func endLadder(account: String, _ gateway: inout GatewayState) {
    for ladder in feeds.ladders where ladder.account == account {
      gateway.market.unwatch(ladder.conid)
    }
    feeds.ladders.removeAll { $0.account == account }
    agenda.removeAll { $0 == .feed(.ladder(account: account)) }
  }

  /// Begins or ends the changes of an account's figures, behind their first message.
  mutating func followFigures(_ command: String, _ target: String, at now: Timestamp) {
    let figures = SocketFeeds.Figures(topic: "s" + command.dropFirst(), target: target)
    agenda.removeAll { $0 == .feed(.figures(figures)) }
    guard command.hasPrefix("s"), let interval = figures.interval else { return }
    agenda.insert(.feed(.figures(figures)), at: now.monotonic + interval)
  }

  /// Does what is due.
  mutating func tell(_ duty: FeedDuty, at time: Int64, updated: Int64, _ gateway: GatewayState) {
    switch duty {
    case .bars(let id):
      guard let request = feeds.requests[id],
        let instrument = gateway.options.catalogue[request.conid]
      else { return }
      let answer = request.answer(
        id: id,
        instrument,
        gateway,
        until: updated / 1_000 + 1,
        at: updated / 1_000
      )
      say(#"{\#(answer),"topic":"smh+\#(request.conid)"}"#, gateway)
    case .ladder(let account):
      agenda.insert(.feed(duty), at: time + Self.ladderInterval)
      guard gateway.deliversData,
        let index = feeds.ladders.firstIndex(where: { $0.account == account }),
        let feed = gateway.market.feed(feeds.ladders[index].conid),
        let message = feeds.ladders[index].changes(feed, moment: UInt64(updated / 500))
      else { return }
      say(message, gateway)
    case .figures(let figures):
      agenda.insert(.feed(duty), at: time + (figures.interval ?? Self.ladderInterval))
      guard gateway.deliversData else { return }
      let message = gateway.account.change(
        topic: figures.topic,
        target: figures.target,
        milliseconds: updated
      )
      if let message { say(message, gateway) }
    }
  }
}
