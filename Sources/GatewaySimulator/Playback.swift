// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Transport

/// What a recording that is played has said of each target of market data so far.
struct Playback: Sendable {
  private struct Image: Sendable {
    var server: String?
    var members: [JSONValue.Member] = []
  }

  private var images: [String: Image] = [:]

  /// Takes the next message.
  ///
  /// - Parameter text: The message.
  /// - Returns: The target and the instrument; nil if it is no market data.
  mutating func take(_ text: String) -> (target: String, conid: Int)? {
    guard let message = try? JSONValue(parsing: Array(text.utf8)),
      let topic = message["topic"]?.string, topic.hasPrefix("smd+"),
      let conid = Int(topic.dropFirst(4).prefix { $0 != "@" })
    else { return nil }
    let target = String(topic.dropFirst(4))
    let server = message["server_id"]?.string
    var image = images.removeValue(forKey: target) ?? Image(server: server)
    // Another subscription of the recorder: what was known of the last one does not count.
    if let server, server != image.server { image = Image(server: server) }
    for member in message.members ?? [] where member.key != "topic" {
      if let place = image.members.firstIndex(where: { $0.key == member.key }) {
        image.members[place] = member
      } else {
        image.members.append(member)
      }
    }
    images[target] = image
    return (target, conid)
  }

  /// All values of a target as of now, in one message; nil if nothing was said of it yet.
  func image(_ target: String) -> String? {
    images[target].map { image in
      let topic = JSONValue.Member(key: "topic", value: .string("smd+\(target)"))
      return JSONValue.object(image.members + [topic]).text
    }
  }

  /// The value of a field as of now, as it stood in its message.
  func value(of key: String, _ target: String) -> String? {
    images[target]?.members.first { $0.key == key }?.value.text
  }
}

extension GatewayModel {
  /// Sends a recorded message to everybody who has subscribed to its target.
  ///
  /// - Parameter text: The message as it was recorded.
  mutating func play(_ text: String) {
    guard let (target, conid) = state.playback.take(text), state.deliversData else { return }
    for index in sockets.indices {
      sockets[index].session.play(text, target: target, conid: conid)
    }
  }

  /// Whether anybody has subscribed to market data.
  var hasSubscriptions: Bool { sockets.contains { !$0.session.streams.isEmpty } }
}

extension SocketSession {
  /// Sends a recorded message, if its target is subscribed to.
  mutating func play(_ text: String, target: String, conid: Int) {
    let isWanted = streams[conid]?.contains { $0.target == target && !$0.hasExpired }
    if isWanted == true { send(.message(text)) }
  }
}

extension InstrumentCatalogue {
  /// The contracts of a recording: they can be looked up, and have no market of their own.
  init(recorded: [RecordedInstrument]) {
    self.init(
      recorded.map { instrument in
        Instrument(
          instrument.conid,
          instrument.symbol,
          instrument.symbol,
          instrument.exchange ?? "SMART",
          price: 0,
          behaviour: .noData
        )
      }
    )
  }
}

/// An instrument of a recording that a simulated gateway plays.
public struct RecordedInstrument: Sendable, Hashable {
  /// The contract id.
  public var conid: Int
  /// The symbol.
  public var symbol: String
  /// The exchange that it is listed on.
  public var exchange: String?

  /// Describes an instrument.
  public init(conid: Int, symbol: String, exchange: String? = nil) {
    self.conid = conid
    self.symbol = symbol
    self.exchange = exchange
  }
}

extension GatewaySimulator {
  /// Sends recorded messages of market data, each to everybody who has subscribed to its target.
  ///
  /// It returns when they are on their way, so that whoever plays as fast as possible is held back by
  /// the slowest client.
  ///
  /// - Parameter texts: The messages as they were recorded.
  public func play(_ texts: [String]) async {
    for text in texts { model.play(text) }
    advance()
    while !isStopping, outboxes.values.contains(where: \.isCrowded) {
      guard (try? await loop.sleep(for: .milliseconds(2))) != nil else { return }
    }
  }

  /// Waits until somebody has subscribed to market data.
  public func waitForSubscription() async {
    while !isStopping, !model.hasSubscriptions {
      guard (try? await loop.sleep(for: .milliseconds(20))) != nil else { return }
    }
  }
}
