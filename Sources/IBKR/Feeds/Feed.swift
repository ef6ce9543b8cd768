// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Something that can be subscribed to, and what its messages are as values.
///
/// A feed is identified by its topic and target: two subscriptions to the same share one on the wire.
public protocol Feed: Sendable {
  /// What the feed's messages are decoded to.
  associatedtype Element: Sendable

  /// What is asked of the server.
  var request: FeedRequest { get }

  /// Reads a message of the feed.
  ///
  /// - Parameter message: A message of this subscription.
  /// - Returns: Its value, nil if it has none (a confirmation, an error).
  static func decode(_ message: Message) -> Element?
}

/// A subscription as the server is asked for it (protocol reference 4.1).
public struct FeedRequest: Sendable, Hashable {
  /// The feed.
  public let topic: Topic

  /// The target: `265598`, `265598@ARCA`, an account, or nothing.
  public let target: String

  /// The instrument, for feeds that have one.
  public let conid: Int?

  /// The fields of a market-data request; empty for other feeds.
  package var fields: [Int]

  package init(topic: Topic, target: String, conid: Int? = nil, fields: [Int] = []) {
    self.topic = topic
    self.target = target
    self.conid = conid
    self.fields = fields
  }

  /// Checks that the request can be written as a command.
  ///
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`.
  package func validate() throws(IbkrError) {
    // `+` separates, and the parameters begin with a brace: neither can be escaped.
    let isPlain = target.utf8.allSatisfy { byte in
      byte > 0x20 && byte < 0x7F && !"+{}\"".utf8.contains(byte)
    }
    guard isPlain else {
      throw IbkrError(
        .invalidSubscription,
        "the target '\(target)' cannot be part of a command",
        remedy: "use letters, digits and points only, without blanks, '+' or braces"
      )
    }
    if topic == .marketData {
      if let conid, conid <= 0 {
        throw IbkrError(.invalidSubscription, "\(conid) is no conid", remedy: "conids are positive")
      }
      if fields.isEmpty {
        throw IbkrError(
          .invalidSubscription,
          "no field is asked for \(target)",
          remedy: "name at least one, such as 31 (last price)"
        )
      }
    }
  }

  /// The command that subscribes.
  package var subscribeCommand: String {
    let list = fields.map { "\"\($0)\"" }.joined(separator: ",")
    let parameters = topic == .marketData ? "{\"fields\":[\(list)]}" : "{}"
    return [topic.rawValue, target, parameters].filter { !$0.isEmpty }.joined(separator: "+")
  }

  /// The command that unsubscribes.
  package var unsubscribeCommand: String {
    ["u" + topic.rawValue.dropFirst(), target, "{}"].filter { !$0.isEmpty }.joined(separator: "+")
  }
}
