// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

/// Takes secrets out of what is recorded, and nothing else.
///
/// Session, hardware address, hardware info, user name and the id of `tic` become `<redacted>`.
/// Account ids become aliases, in values, names and topics, unless they are to be kept. Every other
/// byte stays as it came.
struct Redactor {
  private let keepsAccounts: Bool
  private var accounts = AccountAliases()

  init(keepsAccounts: Bool = false) {
    self.keepsAccounts = keepsAccounts
  }

  /// Whether a message cannot hold a secret: quotes and bars, so nearly all there are.
  static func isHarmless(_ record: EventRecord) -> Bool {
    record.topic == .marketData || record.topic == .history
  }

  /// Takes the secrets out of a message.
  ///
  /// - Parameters:
  ///   - payload: The message.
  ///   - record: What is known of it.
  /// - Returns: The message without them, nil if there are none.
  mutating func redacted(_ payload: UnsafeRawBufferPointer, of record: EventRecord) -> [UInt8]? {
    if record.direction == .outbound, let range = Self.account(ofCommand: payload, record.topic) {
      guard !keepsAccounts else { return nil }
      return Array(payload[..<range.lowerBound]) + accounts.alias(for: payload[range])
        + Array(payload[range.upperBound...])
    }
    return redacted(text: payload, topic: record.topic)
  }

  /// Takes the accounts out of a verbatim topic.
  ///
  /// - Parameter topic: The topic of a message that has been through `redacted(_:of:)`.
  /// - Returns: The topic without them, nil if there are none.
  func redacted(topic: UnsafeRawBufferPointer) -> [UInt8]? {
    keepsAccounts ? nil : accounts.replacingAccounts(in: topic)
  }

  /// Takes the secrets out of an event of our own.
  ///
  /// - Parameters:
  ///   - text: The event as JSON.
  ///   - keys: The subscriptions that it names.
  /// - Returns: The event without them, nil if there are none.
  mutating func redacted(
    own text: UnsafeRawBufferPointer,
    naming keys: [SubscriptionKey]
  ) -> [UInt8]? {
    for key in keys where Self.hasAccount(key.topic) {
      let account = key.target.utf8.prefix { $0 != UInt8(ascii: "+") }
      if !account.isEmpty { _ = accounts.alias(for: account) }
    }
    return redacted(text: text, topic: nil)
  }

  private mutating func redacted(text: UnsafeRawBufferPointer, topic: Topic?) -> [UInt8]? {
    var tokens = StringTokens(text)
    var result: [UInt8] = []
    var copied = 0
    while let token = tokens.next() {
      guard !token.content.isEmpty, let new = replacement(for: token, in: text, topic: topic) else {
        continue
      }
      result += text[copied..<token.content.lowerBound]
      result += new
      copied = token.content.upperBound
    }
    guard copied > 0 else { return nil }
    return result + text[copied...]
  }

  /// What a string is replaced by, nil for one that stays.
  private mutating func replacement(
    for token: StringTokens.Token,
    in text: UnsafeRawBufferPointer,
    topic: Topic?
  ) -> [UInt8]? {
    let content = text[token.content]
    let name = token.name.map { Name(text[$0]) }
    if let name, Self.isSecret(name, topic) { return Array("<redacted>".utf8) }
    if keepsAccounts { return nil }

    let object = token.object.map { Name(text[$0]) }
    if object.map(\.isAccountMap) == true || name.map(\.isAccount) == true {
      return accounts.alias(for: content)
    }
    if token.isName, topic == .profitAndLoss, object?.text == "args" {
      // `DU1.Core`: the account and the model.
      let account = content.prefix { $0 != UInt8(ascii: ".") }
      return accounts.alias(for: account) + content[account.endIndex...]
    }
    if name?.text == "topic", Self.hasAccount(topic) {
      let parts = content.split(separator: UInt8(ascii: "+"), maxSplits: 2)
      if parts.count > 1 { _ = accounts.alias(for: parts[1]) }
    }
    return accounts.replacingAccounts(in: content)
  }

  private static func isSecret(_ name: Name, _ topic: Topic?) -> Bool {
    switch name.text {
    case "session", "MAC", "mac", "hardware_info", "username", "userName", "user_name",
      "submitter":
      true
    case "id": topic == .tic
    case "success": topic == .system
    default: false
    }
  }

  /// Whether a feed's target begins with an account.
  private static func hasAccount(_ topic: Topic?) -> Bool {
    topic == .accountSummary || topic == .accountLedger || topic == .priceLadder
  }

  /// Where the account stands in a command such as `sld+DU1+{…}`, if it has one.
  private static func account(
    ofCommand command: UnsafeRawBufferPointer,
    _ topic: Topic?
  ) -> Range<Int>? {
    guard hasAccount(topic), let plus = command.firstIndex(of: UInt8(ascii: "+")) else {
      return nil
    }
    let rest = command[(plus + 1)...]
    let end =
      rest.firstIndex { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "{") } ?? rest.endIndex
    return plus + 1 < end ? plus + 1..<end : nil
  }

  /// The name of a member, for comparing.
  private struct Name {
    /// The name; empty if it is longer than any that matters.
    let text: String

    init(_ bytes: Slice<UnsafeRawBufferPointer>) {
      text = bytes.count > 32 ? "" : String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the names in such an object are accounts, and the texts in it accounts' names.
    var isAccountMap: Bool { text == "aliases" || text == "acctProps" }

    /// Whether such a value is an account.
    var isAccount: Bool {
      switch text {
      case "acct", "account", "accounts", "accountCode", "acctCode", "accountId", "acctId",
        "selectedAccount", "account_allocation_name":
        true
      default: false
      }
    }
  }
}
