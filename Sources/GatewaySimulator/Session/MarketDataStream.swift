// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// One `smd` subscription: what was asked for, and what was sent already.
struct MarketDataStream: Sendable {
  /// The target as it was requested, `265598` or `265598@ARCA`.
  let target: String
  let conid: Int
  /// `q<n>`, new with each subscription.
  let serverID: String
  /// The availability and the first prices are still to come.
  var isOpening = true
  /// Nothing comes any longer, until it is asked for again.
  var hasExpired = false
  /// When it was asked for, on the monotonic clock.
  let askedAt: Int64
  /// The target as the topic names it.
  private let topicTarget: String
  private(set) var fields: [Field]
  private var sent: [Field: FieldValue] = [:]
  private var hasSentServiceParameters = false

  init(
    target: String,
    conid: Int,
    serverID: String,
    fields: [Int],
    askedAt: Int64,
    topicNamesExchange: Bool
  ) {
    self.target = target
    self.conid = conid
    self.serverID = serverID
    self.askedAt = askedAt
    topicTarget = topicNamesExchange ? target : String(target.prefix { $0 != "@" })
    var wanted = fields.map { Field(number: $0) }
    if fields.contains(87) { wanted.append(Field(number: 87, isRaw: true)) }
    self.fields =
      wanted
      .map { ($0, Self.rank($0)) }
      .sorted { ($0.1, $0.0.number) < ($1.1, $1.0.number) }
      .map(\.0)
  }

  /// The numbers of the fields, for a renewal that asks for more.
  var fieldNumbers: [Int] { fields.filter { !$0.isRaw }.map(\.number) }

  /// The first image: the same values twice, first in the order of the gateway's cache.
  ///
  /// - Parameters:
  ///   - feed: The instrument; nil for one without data.
  ///   - updated: The server's time in Unix milliseconds.
  /// - Returns: Two messages.
  mutating func image(_ feed: InstrumentFeed?, updated: Int64) -> [String] {
    var values: [(Field, FieldValue)] = []
    if let feed {
      values = fields.compactMap { field in feed.value(of: field).map { (field, $0) } }
    } else {
      // Recorded: field 55 comes unasked and availability not at all.
      values.append((Field(number: 55), .text("-")))
      let last = Field(number: 31)
      if fields.contains(last) { values.append((last, .text("N/A"))) }
    }
    return twice(values, updated: updated)
  }

  /// The first message of an instrument whose prices come later.
  mutating func availability(_ feed: InstrumentFeed, updated: Int64) -> [String] {
    let field = Field(number: 6509)
    return twice(feed.value(of: field).map { [(field, $0)] } ?? [], updated: updated)
  }

  /// What changed since the last message; nil if nothing that was asked for did.
  mutating func changes(_ feed: InstrumentFeed, updated: Int64) -> String? {
    var values: [(Field, FieldValue)] = []
    for field in fields {
      guard let value = feed.value(of: field), sent[field] != value else { continue }
      sent[field] = value
      values.append((field, value))
    }
    guard !values.isEmpty else { return nil }
    if !hasSentServiceParameters {
      hasSentServiceParameters = true
      values.append((Field(number: 6508), .text(Self.serviceParameters)))
    }
    return message(values, updated: updated)
  }

  private mutating func twice(_ values: [(Field, FieldValue)], updated: Int64) -> [String] {
    for (field, value) in values { sent[field] = value }
    var members = envelope(updated: updated)
    members.append(("topic", "\"smd+\(topicTarget)\""))
    members += values.map { field, value in
      var token = ""
      value.append(to: &token)
      return (field.key, token)
    }
    let tokens = Dictionary(members) { first, _ in first }
    let cached = JavaKeyOrder.sorted(members.map(\.0))
      .map { "\"\($0)\":\(tokens[$0, default: "null"])" }
      .joined(separator: ",")
    return ["{\(cached)}", message(values, updated: updated)]
  }

  /// A message in the order of everything after the first image.
  private func message(_ values: [(Field, FieldValue)], updated: Int64) -> String {
    var json = "{"
    for (key, token) in envelope(updated: updated) { json += "\"\(key)\":\(token)," }
    for (field, value) in values {
      json += "\"\(field.key)\":"
      value.append(to: &json)
      json += ","
    }
    json += "\"topic\":\"smd+\(topicTarget)\"}"
    return json
  }

  private func envelope(updated: Int64) -> [(String, String)] {
    [
      ("server_id", "\"\(serverID)\""), ("conidEx", "\"\(target)\""), ("conid", "\(conid)"),
      ("_updated", "\(updated)"), ("6119", "\"\(serverID)\""),
    ]
  }

  /// The order of fields in recorded messages; the others follow by number.
  private static func rank(_ field: Field) -> Int {
    let recorded = [84, 87, 6509, 31, 86, 83]
    guard let place = recorded.firstIndex(of: field.number) else { return recorded.count * 2 }
    return place * 2 + (field.isRaw ? 1 : 0)
  }

  private static let serviceParameters =
    "&serviceID1=122&serviceID2=123&serviceID3=203&serviceID4=775&serviceID5=204"
    + "&serviceID6=206&serviceID7=108&serviceID8=109"
}
