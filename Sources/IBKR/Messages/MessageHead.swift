// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// What one look at a message tells: what it is about, of which instrument, and of when.
///
/// Members may stand in any order, so the look goes once over the whole object; it allocates
/// nothing and keeps places instead of values.
struct MessageHead {
  private(set) var topic = Topic.unrecognised
  /// Where the verbatim topic stands, empty if there is none.
  private(set) var topicPlace = 0..<0
  private(set) var conid = 0
  /// Where the target as requested (`265598@ARCA`) stands, empty if it is not said.
  private(set) var targetPlace = 0..<0
  /// `_updated`: the server's time in milliseconds since 1970, `Int64.min` for none.
  private(set) var updated = Int64.min
  /// A digest of `server_id`.
  private(set) var serverID: UInt64?
  /// Whether a field of a quote has a number in it.
  private(set) var carriesValue = false
  private(set) var hasError = false

  private static let topicKey = JSONKey("topic")
  private static let conidKey = JSONKey("conid")
  private static let conidExKey = JSONKey("conidEx")
  private static let updatedKey = JSONKey("_updated")
  private static let errorKey = JSONKey("error")
  private static let messageKey = JSONKey("message")
  private static let resultKey = JSONKey("result")

  /// Looks at a message from the server.
  ///
  /// - Parameter bytes: The message; nil comes of what is not one complete JSON object.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var scanner = JSONScanner(bytes)
    var note = Topic?.none
    while let member = scanner.nextMember() {
      switch member.key {
      case Self.topicKey where member.kind == .string: topicPlace = member.content
      case Self.conidKey:
        // A negative or zero conid is none (combos have 0, and their target says more).
        conid = Int(max(0, scanner.integer(member) ?? 0))
      case Self.conidExKey where member.kind == .string: targetPlace = member.content
      case Self.updatedKey: updated = scanner.integer(member) ?? .min
      case Self.errorKey where member.kind != .null: hasError = true
      case Self.messageKey where member.kind == .string:
        note = Self.note(scanner.bytes(member.content))
      case Self.resultKey where member.kind == .string:
        if Self.hasPrefix("unsubscribed", scanner.bytes(member.content)) { note = .unsubscribed }
      default: look(at: member, scanner)
      }
    }
    guard scanner.state == .complete else { return nil }
    settleTopic(scanner, note)
  }

  private mutating func look(at member: JSONMember, _ scanner: JSONScanner) {
    if let id = member.key.number {
      // What comes unasked with every quote is no value: marker, parameters, availability, symbol.
      guard !carriesValue, id != 6119, id != 6508, id != 6509, id != 55 else { return }
      let content = scanner.bytes(member.content)
      carriesValue = Self.isDigit(content.first) || Self.isDigit(content.last)
    } else if member.key.count == 9, Self.hasPrefix("server_id", scanner.bytes(member.name)) {
      serverID = Digest.of(scanner.bytes(member.content))
    }
  }

  private mutating func settleTopic(_ scanner: JSONScanner, _ note: Topic?) {
    let text = scanner.bytes(topicPlace)
    guard !text.isEmpty else {
      topic = hasError ? .error : note ?? .unrecognised
      return
    }
    let end = text.firstIndex(of: UInt8(ascii: "+")) ?? text.endIndex
    topic = Self.topic(UnsafeRawBufferPointer(rebasing: text[..<end]))
    guard end < text.endIndex else { return }
    var target = text[(end + 1)...]
    if topic == .priceLadder {
      // sbd+<account>+<conid>[+<exchange>]
      target = target.dropFirst(through: UInt8(ascii: "+"))
    }
    if conid == 0 {
      let digits = target.prefix { Self.isDigit($0) }
      conid = Int64(digits: UnsafeRawBufferPointer(rebasing: digits)).map(Int.init) ?? 0
    }
    if targetPlace.isEmpty {
      targetPlace = topicPlace.lowerBound + end + 1..<topicPlace.upperBound
    }
  }

  private static func topic(_ name: UnsafeRawBufferPointer) -> Topic {
    // At most six letters count; a longer name is none of ours.
    guard name.count <= 6 else { return .unrecognised }
    var word: UInt64 = 0
    for byte in name { word = word << 8 | UInt64(byte) }
    // Nearly every message is a quote.
    return word == quotes ? .marketData : names[word] ?? .unrecognised
  }

  private static let quotes = UInt64(0x736D64)  // "smd"

  /// The topics of the server by their letters as one number, as ``topic(_:)`` makes it.
  private static let names: [UInt64: Topic] = {
    let named: [Topic] = [
      .marketData, .history, .priceLadder, .orders, .trades, .profitAndLoss, .accountSummary,
      .accountLedger, .system, .status, .accounts, .notification, .bulletin, .tic, .error,
    ]
    let pairs = named.map { topic in
      (topic.rawValue.utf8.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }, topic)
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }()

  private static func note(_ text: UnsafeRawBufferPointer) -> Topic? {
    if hasPrefix("waiting for session", text) { return .waitingForSession }
    return hasPrefix("Unsubscribed", text) ? .unsubscribed : nil
  }

  private static func hasPrefix(_ prefix: StaticString, _ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.starts(
      with: UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
    )
  }

  private static func isDigit(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return byte &- UInt8(ascii: "0") <= 9
  }
}

extension Slice<UnsafeRawBufferPointer> {
  /// What follows the first such byte; nothing if there is none.
  fileprivate func dropFirst(through byte: UInt8) -> Slice<UnsafeRawBufferPointer> {
    guard let index = firstIndex(of: byte) else { return self[endIndex...] }
    return self[(index + 1)...]
  }
}
