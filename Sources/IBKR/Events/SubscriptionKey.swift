// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What a subscription is: a feed and its target, as the wire names it.
public struct SubscriptionKey: Sendable, Hashable {
  /// The feed.
  public let topic: Topic
  /// The target as it stands in the command: `265598`, `265598@ARCA`, an account, or nothing.
  public let target: String
  /// The instrument, for feeds that have one.
  public let conid: Int?
  /// A number of its own in this run, from 1; messages of the subscription carry it.
  public let number: UInt32

  package init(topic: Topic, target: String, conid: Int?, number: UInt32) {
    self.topic = topic
    self.target = target
    self.conid = conid
    self.number = number
  }

  /// The exchange that the target names, if it names one.
  public var exchange: Substring? {
    guard let at = target.firstIndex(of: "@") else { return nil }
    return target[target.index(after: at)...].prefix { $0 != ";" }
  }
}
