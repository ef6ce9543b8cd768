// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// What one look at a message tells: what it is about, of which instrument, and of when.
///
/// Members may stand in any order, so the look goes once over the whole object; it allocates
/// nothing and keeps places instead of values. Of a repeated key the last one counts, and what is
/// written with escapes or an exponent is read all the same, more slowly.
struct MessageHead {
  private(set) var topic = Topic.unrecognised
  /// Where the verbatim topic stands, empty if there is none.
  private(set) var topicPlace = 0..<0
  private(set) var conid = 0
  /// Where the target as requested (`265598@ARCA`) stands, empty if it is not said.
  private(set) var targetPlace = 0..<0
  /// Whether the target is `conidEx` and not a part of the topic.
  private(set) var targetIsExact = false
  /// `_updated`: the server's time in milliseconds since 1970, `Int64.min` for none.
  private(set) var updated = Int64.min
  /// A digest of `server_id`.
  private(set) var serverID: UInt64?
  /// Where `serverId` stands, by which history is unsubscribed; empty if it is not said.
  private(set) var requestPlace = 0..<0
  /// Where `args` stands, in which orders and executions are; empty if it is not said.
  private(set) var listPlace = 0..<0
  /// Where the text of a message without a topic stands: `Unsubscribed 341115`.
  private(set) var notePlace = 0..<0
  /// Whether a field of a quote has a number in it.
  private(set) var carriesValue = false
  private(set) var hasError = false
  /// Whether the topic is written with escapes, so that its bytes are not its text.
  private(set) var topicHasEscapes = false

  /// Looks at a message from the server.
  ///
  /// - Parameters:
  ///   - bytes: The message; nil comes of what is not one complete JSON object.
  ///   - field: Called for each member whose key is a number, which is a field of a quote.
  @inline(__always)
  init?(_ bytes: UnsafeRawBufferPointer, field: (Int, JSONMember) -> Void = { _, _ in }) {
    var scanner = JSONScanner(bytes)
    var note = Topic?.none
    while let member = scanner.nextMember() {
      if Self.isDigit(UInt8(truncatingIfNeeded: member.key.word)) {
        guard let id = member.key.number else { continue }
        lookAtField(id, member, scanner)
        field(id, member)
      } else if member.key.count == .max {
        if let id = scanner.fieldID(of: member) {
          lookAtField(id, member, scanner)
          field(id, member)
        } else {
          let name = JSONString.text(scanner.bytes(member.name)) ?? ""
          look(at: member, named: name, scanner, &note)
        }
      } else {
        look(at: member, word: member.key.word, count: member.key.count, scanner, &note)
      }
    }
    guard scanner.state == .complete else { return nil }
    settleTopic(scanner, note)
  }

  private mutating func look(
    at member: JSONMember,
    word: UInt64,
    count: Int,
    _ scanner: JSONScanner,
    _ note: inout Topic?
  ) {
    let text = member.kind == .string ? member.content : 0..<0
    // By words, because comparing `JSONKey`s across modules cost a third of all the time here.
    switch (word, count) {
    case (Key.topic, 5):
      topicPlace = text
      topicHasEscapes = member.hasEscapes
    case (Key.conid, 5):
      // A negative or zero conid is none (combos have 0, and their target says more).
      conid = Int(max(0, Self.integer(member, scanner) ?? 0))
    case (Key.conidEx, 7):
      targetPlace = text
      targetIsExact = !text.isEmpty
    case (Key.updated, 8): updated = Self.integer(member, scanner) ?? .min
    case (Key.serverID, 9) where scanner.bytes(member.name).last == UInt8(ascii: "d"):
      serverID = Digest.of(scanner.bytes(member.content))
    case (Key.arguments, 4): listPlace = member.content
    case (Key.requestID, 8): requestPlace = member.content
    case (Key.error, 5): hasError = member.kind != .null
    case (Key.message, 7) where member.kind == .string:
      note = Self.withPlain(scanner.bytes(text), member.hasEscapes) { Self.note($0) }
      notePlace = text
    case (Key.result, 6) where member.kind == .string:
      note = Self.withPlain(scanner.bytes(text), member.hasEscapes) { plain in
        Self.hasPrefix("unsubscribed", plain) ? .unsubscribed : note
      }
      notePlace = text
    default: break
    }
  }

  /// Looks at a member whose key is written with escapes: nobody does, but it is JSON.
  private mutating func look(
    at member: JSONMember,
    named name: String,
    _ scanner: JSONScanner,
    _ note: inout Topic?
  ) {
    if name == "server_id" {
      serverID = Digest.of(scanner.bytes(member.content))
      return
    }
    guard name.utf8.count <= 8 else { return }
    let word = name.utf8.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    look(at: member, word: word, count: name.utf8.count, scanner, &note)
  }

  /// Notes whether a field of a quote has a number in it.
  private mutating func lookAtField(_ id: Int, _ member: JSONMember, _ scanner: JSONScanner) {
    // What comes unasked with every quote is no value: marker, parameters, availability, symbol.
    guard !carriesValue, id != 6119, id != 6508, id != 6509, id != 55 else { return }
    let content = scanner.bytes(member.content)
    carriesValue = Self.isDigit(content.first) || Self.isDigit(content.last)
  }

  private mutating func settleTopic(_ scanner: JSONScanner, _ note: Topic?) {
    let text = scanner.bytes(topicPlace)
    guard !text.isEmpty else {
      topic = hasError ? .error : note ?? .unrecognised
      return
    }
    if topicHasEscapes {
      _ = Self.withPlain(text, true) { settleTopic($0) }
      // Nowhere in the message does the target stand as it reads.
      if targetPlace.isEmpty { targetPlace = topicPlace }
    } else if let start = settleTopic(text), targetPlace.isEmpty {
      targetPlace = topicPlace.lowerBound + start..<topicPlace.upperBound
    }
  }

  /// Takes a topic apart.
  ///
  /// - Parameter text: The topic as it reads.
  /// - Returns: Where its target starts, nil if it has none.
  private mutating func settleTopic(_ text: UnsafeRawBufferPointer) -> Int? {
    let end = text.firstIndex(of: UInt8(ascii: "+")) ?? text.endIndex
    topic = Self.topic(UnsafeRawBufferPointer(rebasing: text[..<end]))
    guard end < text.endIndex else { return nil }
    var target = text[(end + 1)...]
    if topic == .priceLadder {
      // sbd+<account>+<conid>[+<exchange>]
      target = target.dropFirst(through: UInt8(ascii: "+"))
    }
    if conid == 0 {
      let digits = target.prefix { Self.isDigit($0) }
      conid = Int64(digits: UnsafeRawBufferPointer(rebasing: digits)).map(Int.init) ?? 0
    }
    return end + 1
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
    static let arguments: UInt64 = 0x7367_7261
    static let result: UInt64 = 0x746C_7573_6572
    static let requestID: UInt64 = 0x6449_7265_7672_6573
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

  /// Gives a string with its escapes undone.
  private static func withPlain<Result>(
    _ text: UnsafeRawBufferPointer,
    _ hasEscapes: Bool,
    _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    guard hasEscapes else { return body(text) }
    var plain = JSONString.text(text) ?? ""
    return plain.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }

  private static func note(_ text: UnsafeRawBufferPointer) -> Topic? {
    if hasPrefix("waiting for session", text) { return .waitingForSession }
    return hasPrefix("Unsubscribed", text) ? .unsubscribed : nil
  }

  private static func hasPrefix(_ prefix: StaticString, _ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.starts(
      with: UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
    )
  }

  /// A whole number, however it is written: `17`, `"17"`, `17.0`, `1.7e1`.
  private static func integer(_ member: JSONMember, _ scanner: JSONScanner) -> Int64? {
    if let integer = scanner.integer(member) { return integer }
    let content = scanner.bytes(member.content)
    let decimal: Decimal?
    switch member.kind {
    case .number: decimal = Decimal(content)
    case .string: decimal = JSONString.text(content).flatMap { Decimal($0) }
    default: decimal = nil
    }
    return decimal.flatMap { Int(exactly: $0) }.map { Int64($0) }
  }

  private static func isDigit(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return byte &- UInt8(ascii: "0") <= 9
  }
}

extension JSONScanner {
  /// The number of a quote's field, if the key is one; also if it is written with escapes.
  @inline(__always)
  func fieldID(of member: JSONMember) -> Int? {
    member.key.count == .max ? escapedFieldID(of: member) : member.key.number
  }

  private func escapedFieldID(of member: JSONMember) -> Int? {
    guard let name = JSONString.text(bytes(member.name)), 1...8 ~= name.utf8.count,
      name.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 })
    else { return nil }
    return Int(name)
  }
}

extension Slice<UnsafeRawBufferPointer> {
  /// What follows the first such byte; nothing if there is none.
  fileprivate func dropFirst(through byte: UInt8) -> Slice<UnsafeRawBufferPointer> {
    guard let index = firstIndex(of: byte) else { return self[endIndex...] }
    return self[(index + 1)...]
  }
}
