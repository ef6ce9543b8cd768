// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
extension SocketSession {
  /// Does what an open socket is asked for.
  mutating func answer(
    _ command: Command,
    _ text: String,
    at now: Timestamp,
    _ gateway: inout GatewayState
  ) {
    switch command {
    case .tic:
      let answer =
        #"{"topic":"tic","alive":true,"id":"\#(gateway.login.session)","#
        + #""lastAccessed":\#(now.milliseconds)}"#
      for _ in 0..<gateway.options.ticAnswers { say(answer, gateway) }
    case .echo:
      say(text, gateway)
    case .marketData(let target, let conid, let fields):
      // Without the brokerage session the feed is silent.
      guard gateway.login.authenticated, !deaf.contains(conid) else { return }
      guard now.monotonic >= gateway.ignoresSubscriptionsUntil else { return }
      guard now.monotonic >= gateway.refusesSubscriptionsUntil else {
        say(#"{"error":"no market data permissions","code":1,"topic":"smd+\#(target)"}"#, gateway)
        return
      }
      subscribe(target, conid, fields, at: now, &gateway)
    case .endMarketData(let target):
      unsubscribe(target, &gateway)
    case .account(let topic, let target):
      followFigures(topic, target, at: now)
      note(topic)
      guard topic != "str" else {
        for message in gateway.blotter.replay { say(message, gateway) }
        return
      }
      let seconds = now.milliseconds / 1_000
      if let message = gateway.account.firstMessage(topic: topic, target: target, seconds: seconds)
      {
        say(message, gateway)
      }
    case .history(let target, let arguments):
      requestBars(target, arguments, at: now, gateway)
    case .endHistory(let id):
      endRequest(id, gateway)
    case .ladder(let account, let target):
      openLadder(account: account, target, at: now, &gateway)
    case .endLadder(let account):
      endLadder(account: account, &gateway)
    case .ignored:
      return
    case .session:
      // An authorised socket takes the text for a topic.
      complain(#"{"s"#, gateway)
    case .unknown(let topic):
      complain(topic, gateway)
    }
  }

  /// Sends the first image, or the availability alone where prices come later.
  mutating func sendImage(
    _ target: String,
    at time: Int64,
    updated: Int64,
    _ gateway: GatewayState
  ) {
    if gateway.options.playsRecording {
      if let image = gateway.playback.image(target) { say(image, gateway) }
      return
    }
    var pricesFollow: Int64?
    update(target, gateway) { stream, feed in
      guard let feed else { return stream.image(nil, updated: updated) }
      switch feed.instrument.behaviour {
      case .availabilityFirst: pricesFollow = 43_000_000
      case .frozen: pricesFollow = 1_345_000_000
      case .live, .halted:
        stream.isOpening = false
        return stream.image(feed, updated: updated)
      case .noData: return stream.image(nil, updated: updated)
      }
      return stream.availability(feed, updated: updated)
    }
    if let pricesFollow { agenda.insert(.prices(target), at: time + pricesFollow) }
  }

  /// Sends the prices that followed an availability.
  mutating func sendPrices(_ target: String, updated: Int64, _ gateway: GatewayState) {
    update(target, gateway) { stream, feed in
      stream.isOpening = false
      guard let feed, let message = stream.changes(feed, updated: updated) else { return [] }
      return [message]
    }
  }

  private mutating func subscribe(
    _ target: String,
    _ conid: Int,
    _ fields: [Int],
    at now: Timestamp,
    _ gateway: inout GatewayState
  ) {
    // The same `smd` again renews the stream, and its fields are added to those that it has.
    let before = streams[conid]?.first { $0.target == target }?.fieldNumbers ?? []
    unsubscribe(target, &gateway)
    let stream = MarketDataStream(
      target: target,
      conid: conid,
      serverID: gateway.takeServerID(),
      fields: before + fields.filter { !before.contains($0) },
      askedAt: now.monotonic,
      topicNamesExchange: gateway.distortion != .topicsWithoutExchange
    )
    streams[conid, default: []].append(stream)
    if let instrument = gateway.options.catalogue[conid] {
      gateway.market.watch(instrument, from: now.monotonic)
      if let feed = gateway.market.feed(conid) { gateway.traded.note(feed, at: now.milliseconds) }
    }
    agenda.insert(.image(target), at: now.monotonic + gateway.options.imageDelay)
  }

  private mutating func unsubscribe(_ target: String, _ gateway: inout GatewayState) {
    agenda.removeAll { $0 == .image(target) || $0 == .prices(target) }
    for (conid, list) in streams where list.contains(where: { $0.target == target }) {
      let rest = list.filter { $0.target != target }
      streams[conid] = rest.isEmpty ? nil : rest
      gateway.market.unwatch(conid)
    }
  }

  private mutating func update(
    _ target: String,
    _ gateway: GatewayState,
    _ body: (inout MarketDataStream, InstrumentFeed?) -> [String]
  ) {
    guard let conid = Int(target.prefix { $0 != "@" }), var list = streams[conid] else { return }
    for index in list.indices where list[index].target == target {
      for message in body(&list[index], gateway.market.feed(conid)) { say(message, gateway) }
    }
    streams[conid] = list
  }

  private mutating func complain(_ topic: String, _ gateway: GatewayState) {
    say(#"{"error":\#("Topic unknown '\(topic)'".asJSON),"code":1}"#, gateway)
  }
}
