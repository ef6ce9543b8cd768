// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

@testable import IBKR

/// The head of a message by way of the strict reader and its tree: slow, and in few words.
struct ReferenceHead: Equatable {
  var topic = Topic.unrecognised
  var conid = 0
  var updated = Int64.min
  var target = ""
  var hasError = false
  /// The fields of a quote, each with its value.
  var fields: [Int: JSONValue] = [:]

  /// Reads a text; nil comes of what is not a JSON object, to the letter of RFC 8259.
  init?(_ bytes: [UInt8]) {
    guard let members = (try? JSONValue(parsing: bytes))?.members else { return nil }
    let tree = JSONValue.object(members)
    hasError = tree["error"].map { !$0.isNull } ?? false
    updated = Self.integer(tree["_updated"]) ?? .min
    conid = Int(max(0, Self.integer(tree["conid"]) ?? 0))
    for member in members where 1...8 ~= member.key.utf8.count {
      guard let id = Int(member.key), member.key.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
        continue
      }
      fields[id] = member.value
    }
    guard case .string(let text)? = tree["topic"], !text.isEmpty else {
      topic = hasError ? .error : Self.note(members)
      return
    }
    let parts = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
    topic = Self.topics.first { $0.rawValue == parts[0] } ?? .unrecognised
    target = parts.count > 1 ? String(parts[1]) : ""
    if conid == 0 {
      var digits = Substring(target)
      if topic == .priceLadder { digits = digits.drop { $0 != "+" }.dropFirst() }
      conid = Int(digits.prefix { "0123456789".contains($0) }) ?? 0
    }
    if case .string(let exact)? = tree["conidEx"], !exact.isEmpty { target = exact }
  }

  private static let topics: Set<Topic> = Set(Topic.allCases).subtracting([
    .waitingForSession, .unsubscribed, .unrecognised,
  ])

  private static func integer(_ value: JSONValue?) -> Int64? {
    switch value {
    case .number(let text), .string(let text):
      if let integer = Int64(text), text.first != "+" { return integer }
      return Decimal(text).flatMap { Int(exactly: $0) }.map { Int64($0) }
    default: return nil
    }
  }

  /// What a message without a topic says; of several words the last one counts.
  private static func note(_ members: [JSONValue.Member]) -> Topic {
    var note = Topic.unrecognised
    for member in members {
      guard case .string(let text) = member.value else { continue }
      if member.key == "message" {
        note =
          text.hasPrefix("waiting for session")
          ? .waitingForSession : text.hasPrefix("Unsubscribed") ? .unsubscribed : .unrecognised
      } else if member.key == "result", text.hasPrefix("unsubscribed") {
        note = .unsubscribed
      }
    }
    return note
  }

  /// What differs between this and the one look at a message after others; nil if nothing does.
  func difference(from bytes: [UInt8], after keys: inout JSONKeyTrail) -> String? {
    bytes.withUnsafeBytes { raw in
      var list = FieldList()
      guard let head = MessageHead(raw, &keys, &list) else { return "no head" }
      var seen: [Int: JSONValue] = [:]
      for place in list.places {
        let quote = place.kind == .string ? "\"" : ""
        let text = quote + String(decoding: place.content(in: raw), as: UTF8.self) + quote
        seen[place.id] = try? JSONValue(parsing: Array(text.utf8))
      }
      if head.topic != topic { return "topic \(head.topic) instead of \(topic)" }
      if head.conid != conid { return "conid \(head.conid) instead of \(conid)" }
      if head.updated != updated { return "time \(head.updated) instead of \(updated)" }
      if head.hasError != hasError { return "error \(head.hasError)" }
      if seen != fields { return "fields \(seen.keys) instead of \(fields.keys)" }
      return target.isEmpty || head.names(target, in: raw) ? nil : "another target"
    }
  }

  /// What differs between this and the one look; nil if nothing does.
  func difference(from bytes: [UInt8]) -> String? {
    var keys = MessageHead.Name.trail()
    return difference(from: bytes, after: &keys)
  }
}
