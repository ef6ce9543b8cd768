// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import JSON

/// A subscription as the server is asked for it (protocol reference 4.1).
///
/// Feeds make it, and theirs are complete: whatever can be made can be written as a command.
/// Printing one shows no account.
public struct FeedRequest: Sendable, Hashable {
  /// The feed.
  public let topic: Topic

  /// The target: `265598`, `265598@ARCA`, an account, or nothing.
  public let target: String

  /// The instrument, for feeds that have one.
  public let conid: Int?

  /// The fields of a market-data request; empty for other feeds.
  package var fields: [Int]

  /// The parameters of other feeds, in the order in which they are sent.
  package let parameters: [JSONValue.Member]

  /// What the server has called the request in its answer: history is unsubscribed by that.
  package var serverID: String?

  package init(
    topic: Topic,
    target: String,
    conid: Int? = nil,
    fields: [Int] = [],
    parameters: [JSONValue.Member] = []
  ) {
    self.topic = topic
    self.target = target
    self.conid = conid
    self.fields = fields
    self.parameters = parameters
  }

  /// Checks that the request can be written as a command.
  ///
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`.
  package func validate() throws(IbkrError) {
    let parts = topic == .priceLadder ? target.split(separator: "+").map(\.self) : [target[...]]
    for part in parts {
      guard Self.isPlain(part) else {
        throw Self.unwritable(isAccount ? "an account" : "the target '\(part)'")
      }
    }
    if let conid, conid <= 0 {
      throw IbkrError(.invalidSubscription, "\(conid) is no conid", remedy: "conids are positive")
    }
    if topic == .marketData, fields.isEmpty {
      throw IbkrError(
        .invalidSubscription,
        "no field is asked for \(target)",
        remedy: "name at least one, such as 31 (last price)"
      )
    }
  }

  /// Whether both want the same; two that do not cannot share one subscription, except for fields of
  /// quotes, which the server adds up.
  package func agrees(with other: FeedRequest) -> Bool {
    topic == other.topic && target == other.target && parameters == other.parameters
  }

  /// Whether a text can be part of a command: `+` separates, and the parameters begin with a brace;
  /// neither can be escaped.
  static func isPlain(_ text: some StringProtocol) -> Bool {
    text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"+{}\"".utf8.contains($0) }
  }

  static func unwritable(_ what: String) -> IbkrError {
    IbkrError(
      .invalidSubscription,
      "\(what) cannot be part of a command",
      remedy: "use letters, digits and points only, without blanks, '+' or braces"
    )
  }

  /// Whether the target names an account.
  var isAccount: Bool { topic.targetIsAccount }
}

extension FeedRequest {
  /// The command that subscribes.
  package var subscribeCommand: String {
    switch topic {
    case .marketData: "smd+\(target)+{\"fields\":\(JSONValue(fields: fields).text)}"
    // The ladder alone has no parameters.
    case .priceLadder: "sbd+\(target)"
    default:
      [topic.rawValue, target, JSONValue.object(parameters).text]
        .filter { !$0.isEmpty }
        .joined(separator: "+")
    }
  }

  /// The command that unsubscribes; nil for history that has not been answered, which the server
  /// has no name for.
  package var unsubscribeCommand: String? {
    switch topic {
    case .history: serverID.map { "umh+\($0)" }
    case .priceLadder: "ubd+\(target.prefix { $0 != "+" })"
    case .trades: "utr"
    default:
      ["u" + topic.rawValue.dropFirst(), target, "{}"]
        .filter { !$0.isEmpty }
        .joined(separator: "+")
    }
  }
}

extension FeedRequest: CustomStringConvertible, CustomReflectable {
  /// The feed and its target, without an account.
  public var description: String { topic.described(target: target) }

  /// A mirror without children, so that `dump` shows no account either.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Topic {
  /// Whether the targets of the feed name accounts.
  package var targetIsAccount: Bool {
    switch self {
    case .accountSummary, .accountLedger, .priceLadder: true
    default: false
    }
  }

  /// A feed and its target for people, without an account.
  func described(target: String) -> String {
    if target.isEmpty { return rawValue }
    guard targetIsAccount else { return "\(rawValue)+\(target)" }
    return "\(rawValue)+<redacted>\(target.drop { $0 != "+" })"
  }

  /// The feed that a command of ours is about; `tic` and whatever is no feed's are themselves.
  init(command: String) {
    let letters = command.prefix(3)
    self =
      Topic(rawValue: "s" + letters.dropFirst()) ?? Topic(rawValue: String(letters))
      ?? .unrecognised
  }
}

extension JSONValue {
  /// Numbers of fields as a command has them: in quotes.
  init(fields: [Int]) { self = .array(fields.map { .string(String($0)) }) }

  /// Texts as a command has them.
  init(texts: [String]) { self = .array(texts.map { .string($0) }) }
}
