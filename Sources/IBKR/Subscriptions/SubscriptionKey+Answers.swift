// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// What the server says to a subscription, and to its end (protocol reference 4.1).
struct FeedManners: Sendable, Hashable {
  /// The answer to a subscription.
  enum Answer: Sendable, Hashable {
    /// The first message with data, which may take as long as nothing happens.
    case data
    /// One answer with all of the data; the request stays open without another word.
    case once
    /// A message at once, an empty one if need be.
    case atOnce
    /// Data if there is any, and otherwise no word at all.
    case perhapsNone
  }

  /// The answer to an unsubscription.
  enum Farewell: Sendable, Hashable {
    /// No word.
    case none
    /// A message that names the request.
    case byRequest
    /// A message that names the feed and not the account.
    case byFeed
  }

  let answer: Answer
  let farewell: Farewell

  /// How the server behaves in a feed; nil for what is no feed.
  init?(_ topic: Topic) {
    switch topic {
    case .marketData, .priceLadder, .profitAndLoss: self.init(.data, .none)
    case .accountSummary, .accountLedger: self.init(.data, .byFeed)
    case .history: self.init(.once, .byRequest)
    case .trades: self.init(.atOnce, .none)
    case .orders: self.init(.perhapsNone, .none)
    default: return nil
    }
  }

  private init(_ answer: Answer, _ farewell: Farewell) {
    self.answer = answer
    self.farewell = farewell
  }
}

extension SubscriptionKey {
  /// How the server behaves in the feed.
  var manners: FeedManners? { FeedManners(topic) }

  /// Whether a message is one of this subscription's, and no error: the server has heard of it.
  ///
  /// Only what names the subscription counts, never what the data holds: a filtered summary has no
  /// row with the account. With `@EXCH` it is not known which topic comes back, so `conidEx` counts
  /// first, then the topic, then the conid (protocol reference 4.9).
  ///
  /// - Parameters:
  ///   - head: What the message is about.
  ///   - bytes: The message.
  /// - Returns: Whether it confirms the subscription.
  func confirms(_ head: MessageHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
    !head.hasError && isMeant(by: head, bytes)
  }

  /// Whether a message, perhaps an error, names this subscription.
  func isMeant(by head: MessageHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard head.topic == topic else { return false }
    // Feeds without a target have their topic to themselves.
    if target.isEmpty || head.names(target, in: bytes) { return true }
    switch topic {
    case .marketData, .history: return !head.namesExchange(in: bytes) && head.conid == conid
    default: return false
    }
  }

  /// Whether a message says that this subscription has ended.
  ///
  /// - Parameters:
  ///   - head: What the message is about.
  ///   - bytes: The message.
  ///   - serverID: What the server has called the request, for history.
  /// - Returns: Whether it does. The accounts' feeds name no account, so it may be another's.
  func endIsConfirmed(
    by head: MessageHead,
    _ bytes: UnsafeRawBufferPointer,
    serverID: String? = nil
  ) -> Bool {
    guard head.topic == .unsubscribed,
      let words = JSONString.text(UnsafeRawBufferPointer(rebasing: bytes[head.notePlace]))
    else { return false }
    switch Unsubscription(words: words) {
    case .history(let id): return topic == .history && id == serverID
    case .accountSummary: return topic == .accountSummary
    case .accountLedger: return topic == .accountLedger
    case .other: return false
    }
  }
}

extension SubscriptionKey: CustomStringConvertible, CustomReflectable {
  /// The feed and its target, without an account.
  public var description: String { topic.described(target: target) }

  /// A mirror without children, so that `dump` shows no account either.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension MessageHead {
  /// Whether this is the target that the message names.
  func names(_ target: some StringProtocol, in bytes: UnsafeRawBufferPointer) -> Bool {
    let place = UnsafeRawBufferPointer(rebasing: bytes[targetPlace])
    if place.elementsEqual(target.utf8) { return true }
    guard place.contains(UInt8(ascii: "\\")) else { return false }
    // Written with escapes, which is JSON though nobody does it; it may be the whole topic then.
    let text = JSONString.text(place) ?? ""
    return text == target || (!targetIsExact && text.hasSuffix("+\(target)"))
  }

  /// Whether the message names an instrument on one exchange, or a combination.
  func namesExchange(in bytes: UnsafeRawBufferPointer) -> Bool {
    targetIsExact || bytes[targetPlace].contains { "@;".utf8.contains($0) }
  }

  /// The request that a message of history answers: what it is unsubscribed by.
  func requestID(in bytes: UnsafeRawBufferPointer) -> String? {
    requestPlace.isEmpty
      ? nil : JSONString.text(UnsafeRawBufferPointer(rebasing: bytes[requestPlace]))
  }
}
