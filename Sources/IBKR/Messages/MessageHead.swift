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

  /// Looks at a message from the server.
  ///
  /// - Parameter bytes: The message; nil comes of what is not one complete JSON object.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var scanner = JSONScanner(bytes)
    var note = Topic?.none
    while let member = scanner.nextMember() {
      if Self.isDigit(UInt8(truncatingIfNeeded: member.key.word)) {
        lookAtField(member, scanner)
      } else {
        look(at: member, scanner, &note)
      }
    }
    guard scanner.state == .complete else { return nil }
    settleTopic(scanner, note)
  }

  private mutating func look(
    at member: JSONMember,
    _ scanner: JSONScanner,
    _ note: inout Topic?
  ) {
    // By words, because comparing `JSONKey`s across modules cost a third of all the time here.
    switch (member.key.word, member.key.count) {
    case (Key.topic, 5) where member.kind == .string: topicPlace = member.content
    case (Key.conid, 5):
      // A negative or zero conid is none (combos have 0, and their target says more).
      conid = Int(max(0, scanner.integer(member) ?? 0))
    case (Key.conidEx, 7) where member.kind == .string: targetPlace = member.content
    case (Key.updated, 8): updated = scanner.integer(member) ?? .min
    case (Key.serverID, 9) where scanner.bytes(member.name).last == UInt8(ascii: "d"):
      serverID = Digest.of(scanner.bytes(member.content))
    case (Key.error, 5) where member.kind != .null: hasError = true
    case (Key.message, 7) where member.kind == .string:
      note = Self.note(scanner.bytes(member.content))
    case (Key.result, 6) where member.kind == .string:
      if Self.hasPrefix("unsubscribed", scanner.bytes(member.content)) { note = .unsubscribed }
    default: break
    }
  }

  /// Notes whether a field of a quote has a number in it.
  private mutating func lookAtField(_ member: JSONMember, _ scanner: JSONScanner) {
    // What comes unasked with every quote is no value: marker, parameters, availability, symbol.
    guard !carriesValue, let id = member.key.number, id != 6119, id != 6508, id != 6509, id != 55
    else { return }
    let content = scanner.bytes(member.content)
    carriesValue = Self.isDigit(content.first) || Self.isDigit(content.last)
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

  /// The first eight bytes of the keys, the first one lowest, as ``JSONKey`` has them.
  enum Key {
    static let topic: UInt64 = 0x63_6970_6F74
    static let conid: UInt64 = 0x64_696E_6F63
    static let conidEx: UInt64 = 0x78_4564_696E_6F63
    static let updated: UInt64 = 0x6465_7461_6470_755F
    static let serverID: UInt64 = 0x695F_7265_7672_6573
    static let error: UInt64 = 0x72_6F72_7265
    static let message: UInt64 = 0x65_6761_7373_656D
    static let result: UInt64 = 0x746C_7573_6572
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
