// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// One WebSocket of a client, from the upgrade on; it knows neither socket nor clock.
struct SocketSession: Sendable {
  enum Phase { case connecting, waitingForSession, open }
  enum Duty: Hashable {
    case upstream, account, status, heartbeat, image(String), prices(String), feed(FeedDuty)
  }

  private(set) var phase = Phase.connecting
  var agenda = Agenda<Duty>()
  var streams: [Int: [MarketDataStream]] = [:]
  var feeds = SocketFeeds()
  private var output: [SocketOutput] = []
  private var distorted = DistortedOutput()
  /// Whether nothing gets through any longer, either way.
  private(set) var hasVanished = false
  /// Instruments for which a subscription is not heard.
  private(set) var deaf: Set<Int> = []
  /// Which feeds of the account are subscribed to.
  private var accountFeeds: Set<String> = []
  /// Whether the cookie or the session text named a session that the server knows.
  private let knowsSession: Bool

  /// A socket whose handshake the gateway has just completed, on its own.
  init(at now: Timestamp, knowsSession: Bool = true, _ gateway: GatewayState) {
    self.knowsSession = knowsSession
    agenda.insert(.upstream, at: now.monotonic + gateway.options.upstreamDelay)
  }

  /// When there is something to do without being asked.
  var nextTime: Int64? { agenda.nextTime }

  /// Takes what is to be sent, in the form that it is to have.
  mutating func takeOutput(_ distortion: Distortion? = nil) -> [SocketOutput] {
    defer { output.removeAll(keepingCapacity: true) }
    return distorted.apply(distortion, to: output)
  }

  /// Adds something to be sent.
  mutating func send(_ output: SocketOutput) { self.output.append(output) }

  /// Does the next duty if its time has come.
  ///
  /// - Returns: Whether there was one.
  mutating func advance(to now: Timestamp, _ gateway: inout GatewayState) -> Bool {
    guard let (time, duty) = agenda.next(until: now.monotonic) else { return false }
    let updated = now.milliseconds(at: time)
    switch duty {
    case .upstream:
      if knowsSession, gateway.login.connected {
        greet(at: time, gateway)
      } else {
        phase = .waitingForSession
        say(#"{"message":"waiting for session"}"#, gateway)
      }
    case .account:
      say(#"{"topic":"act","args":\#(gateway.account.accounts)}"#, gateway)
    case .status:
      say(gateway.login.greeting(gateway.account, at: time), gateway)
    case .heartbeat:
      if !gateway.heartbeatsPaused { say(#"{"topic":"system","hb":\#(updated)}"#, gateway) }
      agenda.insert(.heartbeat, at: time + gateway.options.heartbeat)
    case .image(let target):
      sendImage(target, at: time, updated: updated, gateway)
    case .prices(let target):
      sendPrices(target, updated: updated, gateway)
    case .feed(let duty):
      tell(duty, at: time, updated: updated, gateway)
    }
    return true
  }

  /// Takes a text of the client.
  mutating func receive(_ text: String, at now: Timestamp, _ gateway: inout GatewayState) {
    guard !hasVanished else { return }
    let command = Command(text)
    switch phase {
    case .connecting:
      // The gateway writes it to a connection that it does not have yet: no answer, no error.
      return
    case .waitingForSession:
      if case .session(gateway.login.session) = command, gateway.login.connected {
        greet(at: now.monotonic, gateway)
      }
    case .open:
      answer(command, text, at: now, &gateway)
    }
  }

  /// Sends what an instrument's change means for this socket.
  mutating func publish(
    _ conid: Int,
    _ feed: InstrumentFeed,
    at time: Int64,
    updated: Int64,
    _ gateway: GatewayState
  ) {
    guard let count = streams[conid]?.count else { return }
    for index in 0..<count where streams[conid]?[index].isOpening == false {
      if let lifetime = gateway.subscriptionLifetime,
        let asked = streams[conid]?[index].askedAt, time - asked >= lifetime
      {
        streams[conid]?[index].hasExpired = true
      }
      guard streams[conid]?[index].hasExpired == false else { continue }
      if let message = streams[conid]?[index].changes(feed, updated: updated) {
        output.append(.message(message))
      }
    }
  }

  /// Ends every subscription to market data without a word.
  mutating func expireSubscriptions() {
    streams = streams.mapValues { list in
      list.map { stream in
        var stream = stream
        stream.hasExpired = true
        return stream
      }
    }
  }

  /// Ends the subscription to one instrument without a word.
  mutating func mute(_ conid: Int, isDeaf: Bool) {
    guard let count = streams[conid]?.count else { return }
    for index in 0..<count { streams[conid]?[index].hasExpired = true }
    if isDeaf { deaf.insert(conid) }
  }

  /// Loses everything from now on, either way.
  mutating func vanish() {
    hasVanished = true
    output.append(.vanish)
  }

  /// Gives back what the socket holds of the gateway.
  mutating func end(_ gateway: inout GatewayState) {
    for (conid, list) in streams {
      for _ in list { gateway.market.unwatch(conid) }
    }
    streams.removeAll()
    for ladder in feeds.ladders { gateway.market.unwatch(ladder.conid) }
    feeds = SocketFeeds()
    agenda = Agenda()
  }

  /// Remembers a subscription to a feed of the account, or forgets it.
  mutating func note(_ command: String) {
    if command.hasPrefix("s") {
      accountFeeds.insert(command)
    } else {
      accountFeeds.remove("s" + command.dropFirst())
    }
  }

  /// Tells an open socket about the account's orders and executions, if it wants to know.
  mutating func tellOfTrading(_ messages: [String], _ gateway: GatewayState) {
    guard phase == .open else { return }
    for message in messages {
      let topic = message.hasPrefix(#"{"topic":"sor""#) ? "sor" : "str"
      if accountFeeds.contains(topic) { say(message, gateway) }
    }
  }

  /// Tells an open socket about a change of the login.
  mutating func tell(_ messages: [String]) {
    guard phase == .open else { return }
    output += messages.map { .message($0) }
  }

  mutating func say(_ text: String, _ gateway: GatewayState) {
    if !gateway.silent { output.append(.message(text)) }
  }

  // Recorded: the three messages of the greeting come within 250 ms, always in this order.
  private mutating func greet(at time: Int64, _ gateway: GatewayState) {
    phase = .open
    say(gateway.account.welcome, gateway)
    agenda.insert(.account, at: time + 60_000_000)
    agenda.insert(.status, at: time + 110_000_000)
    agenda.insert(.heartbeat, at: time + gateway.options.heartbeat)
  }
}
