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

  /// The keys that tell something of a message.
  enum Name: Int, CaseIterable {
    case topic, conid, conidEx, updated, serverID, arguments, requestID, error, message, result

    /// What a ``JSONKeyTrail`` calls the key; nil for what is none of them.
    @inline(__always)
    init?(meaning: Int) { self.init(rawValue: -2 &- meaning) }

    private var text: String {
      switch self {
      case .topic: "topic"
      case .conid: "conid"
      case .conidEx: "conidEx"
      case .updated: "_updated"
      case .serverID: "server_id"
      case .arguments: "args"
      case .requestID: "serverId"
      case .error: "error"
      case .message: "message"
      case .result: "result"
      }
    }

    /// A trail that knows them.
    static func trail() -> JSONKeyTrail { JSONKeyTrail(allCases.map { Array($0.text.utf8) }) }
  }

  /// The value of a member: where it stands, without the quotes of a string.
  private struct Value {
    var kind: JSONKind
    var place: Range<Int>
    var hasEscapes = false

    /// Where the text stands; empty if it is no string.
    var text: Range<Int> { kind == .string ? place : 0..<0 }
  }

  /// Looks at a message from the server.
  ///
  /// - Parameters:
  ///   - bytes: The message; nil comes of what is not one complete JSON object.
  ///   - keys: The keys of earlier messages, from ``Name/trail()``.
  ///   - fields: Gets the place of each member whose key is a number, which is a field of a quote.
  init?(
    _ bytes: UnsafeRawBufferPointer,
    _ keys: inout JSONKeyTrail,
    _ fields: inout FieldList
  ) {
    var scanner = JSONScanner(bytes)
    keys.begin()
    var note = Topic?.none
    repeat {
      scanner.takeGuessed(&keys) { meaning, start, stop, isString in
        let place = Range(uncheckedBounds: (start, stop))
        let value = Value(kind: isString ? .string : .number, place: place)
        take(meaning, value, bytes, &fields, &note)
      }
    } while takeNext(&scanner, bytes, &keys, &fields, &note)
    guard scanner.state == .complete else { return nil }
    settleTopic(bytes, note)
  }

  /// Looks at one message that nothing is known of.
  ///
  /// - Parameter bytes: The message.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var keys = Name.trail()
    var fields = FieldList()
    self.init(bytes, &keys, &fields)
  }

  /// Takes a member that was not guessed.
  ///
  /// - Returns: Whether there was one.
  @inline(never)
  private mutating func takeNext(
    _ scanner: inout JSONScanner,
    _ bytes: UnsafeRawBufferPointer,
    _ keys: inout JSONKeyTrail,
    _ fields: inout FieldList,
    _ note: inout Topic?
  ) -> Bool {
    guard let member = scanner.nextMember() else { return false }
    let name = scanner.bytes(member.name)
    let meaning: Int
    if member.key.count == .max {
      // It is written with escapes: nobody does, but it is JSON.
      meaning = scanner.fieldID(of: member) ?? Self.withPlain(name, true) { keys.meaning(of: $0) }
    } else {
      meaning = keys.note(member, name)
    }
    let value = Value(kind: member.kind, place: member.content, hasEscapes: member.hasEscapes)
    take(meaning, value, bytes, &fields, &note)
    return true
  }

  /// Takes a member, by what its key stands for.
  @inline(__always)
  private mutating func take(
    _ meaning: Int,
    _ value: Value,
    _ bytes: UnsafeRawBufferPointer,
    _ fields: inout FieldList,
    _ note: inout Topic?
  ) {
    if meaning >= 0 {
      look(atField: meaning, value, bytes)
      fields.append(FieldPlace(meaning, value.place, value.kind))
    } else if let name = Name(meaning: meaning) {
      look(at: name, value, bytes, &note)
    }
  }

  private mutating func look(
    at name: Name,
    _ value: Value,
    _ bytes: UnsafeRawBufferPointer,
    _ note: inout Topic?
  ) {
    let content = UnsafeRawBufferPointer(rebasing: bytes[value.place])
    switch name {
    case .topic:
      topicPlace = value.text
      topicHasEscapes = value.hasEscapes
    case .conid:
      // A negative or zero conid is none (combos have 0, and their target says more).
      conid = Int(max(0, Self.integer(value.kind, content) ?? 0))
    case .conidEx:
      targetPlace = value.text
      targetIsExact = !targetPlace.isEmpty
    case .updated: updated = Self.integer(value.kind, content) ?? .min
    case .serverID: serverID = Digest.of(content)
    case .arguments: listPlace = value.place
    case .requestID: requestPlace = value.place
    case .error: hasError = value.kind != .null
    case .message where value.kind == .string:
      note = Self.withPlain(content, value.hasEscapes) { Self.note($0) }
      notePlace = value.place
    case .result where value.kind == .string:
      note = Self.withPlain(content, value.hasEscapes) { plain in
        Self.hasPrefix("unsubscribed", plain) ? .unsubscribed : note
      }
      notePlace = value.place
    case .message, .result: break
    }
  }

  /// Notes whether a field of a quote has a number in it.
  @inline(__always)
  private mutating func look(
    atField id: Int,
    _ value: Value,
    _ bytes: UnsafeRawBufferPointer
  ) {
    // What comes unasked with every quote is no value: marker, parameters, availability, symbol.
    guard !carriesValue, id != 6119, id != 6508, id != 6509, id != 55 else { return }
    let content = UnsafeRawBufferPointer(rebasing: bytes[value.place])
    carriesValue = Self.isDigit(content.first) || Self.isDigit(content.last)
  }

  private mutating func settleTopic(_ bytes: UnsafeRawBufferPointer, _ note: Topic?) {
    let text = UnsafeRawBufferPointer(rebasing: bytes[topicPlace])
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
  private static func integer(_ kind: JSONKind, _ content: UnsafeRawBufferPointer) -> Int64? {
    guard kind == .number || kind == .string else { return nil }
    if let integer = Int64(digits: content) { return integer }
    let decimal =
      kind == .number ? Decimal(content) : JSONString.text(content).flatMap { Decimal($0) }
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
