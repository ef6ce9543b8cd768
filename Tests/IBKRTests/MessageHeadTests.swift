// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import IBKR

/// The heads of messages as the protocol reference shows them.
@Suite struct MessageHeadTests {
  struct Sample: Sendable, CustomTestStringConvertible {
    var text: String
    var topic: Topic
    var conid = 0
    var updated = Int64.min
    var target = ""
    var hasError = false
    var testDescription: String { text }
  }

  static let samples = [
    Sample(
      text: """
        {"6509":"DPB","conidEx":"265598","topic":"smd+265598","conid":265598,\
        "_updated":1777552110061,"6119":"q1","83":0.56,"server_id":"q1","84":"271.55"}
        """,
      topic: .marketData,
      conid: 265598,
      updated: 1_777_552_110_061,
      target: "265598"
    ),
    Sample(
      text: #"{"topic":"smd+265598@ARCA","_updated":"17"}"#,
      topic: .marketData,
      conid: 265598,
      updated: 17,
      target: "265598@ARCA"
    ),
    Sample(
      text: #"{"conidEx":"265598@ARCA","conid":"265598","topic":"smd+265598"}"#,
      topic: .marketData,
      conid: 265598,
      target: "265598@ARCA"
    ),
    Sample(
      text: #"{"topic":"smd+0;;;1/1,2/-1","conid":0,"31":"1.5"}"#,
      topic: .marketData,
      target: "0;;;1/1,2/-1"
    ),
    Sample(
      text: #" { "topic" : "smd+8595" , "error" : "no data" , "code" : 3 } "#,
      topic: .marketData,
      conid: 8595,
      target: "8595",
      hasError: true
    ),
    Sample(text: #"{"topic":"system","hb":1777415611502}"#, topic: .system),
    Sample(
      text: #"{"topic":"system","success":"username1","isFT":false,"isPaper":false}"#,
      topic: .system
    ),
    Sample(text: #"{"topic":"sts","args":{"authenticated":false}}"#, topic: .status),
    Sample(text: #"{"topic":"act","args":{"accounts":["U1"],"conid":5}}"#, topic: .accounts),
    Sample(
      text: #"{"topic":"tic","alive":true,"id":"e5af","lastAccessed":1777415639969}"#,
      topic: .tic
    ),
    Sample(text: #"{"topic":"ntf","args":[{"id":"118","text":"}\"{"}]}"#, topic: .notification),
    Sample(text: #"{"topic":"blt","args":[{"id":1789618148}]}"#, topic: .bulletin),
    Sample(
      text: #"{"serverId":"341115","data":[{"o":1}],"topic":"smh+265598"}"#,
      topic: .history,
      conid: 265598,
      target: "265598"
    ),
    Sample(text: #"{"topic":"sor","args":[{"conid":265598}]}"#, topic: .orders),
    Sample(text: #"{"topic":"str","args":[]}"#, topic: .trades),
    Sample(text: #"{"topic":"spl","args":{"DU1.Core":{"rowType":1}}}"#, topic: .profitAndLoss),
    Sample(text: #"{"result":[],"topic":"ssd+DU1"}"#, topic: .accountSummary, target: "DU1"),
    Sample(text: #"{"result":[],"topic":"sld+DU1"}"#, topic: .accountLedger, target: "DU1"),
    Sample(
      text: #"{"topic":"sbd+DU1+265598","data":[]}"#,
      topic: .priceLadder,
      conid: 265598,
      target: "DU1+265598"
    ),
    Sample(text: #"{"message":"waiting for session"}"#, topic: .waitingForSession),
    Sample(text: #"{"message":"Unsubscribed 341115"}"#, topic: .unsubscribed),
    Sample(text: #"{"result":"unsubscribed from summary"}"#, topic: .unsubscribed),
    Sample(text: #"{"error":"Topic unknown 'abc'","code":1}"#, topic: .error, hasError: true),
    Sample(text: #"{"topic":"error","error":"x"}"#, topic: .error, hasError: true),
    Sample(text: #"{"message":"hello"}"#, topic: .unrecognised),
    Sample(text: #"{"topic":"shs+exercise"}"#, topic: .unrecognised, target: "exercise"),
    Sample(text: #"{"topic":17,"args":{}}"#, topic: .unrecognised),
    Sample(text: #"{"topic":"marketdata+1"}"#, topic: .unrecognised, conid: 1, target: "1"),
    Sample(text: "{}", topic: .unrecognised),
  ]

  @Test(arguments: samples)
  func findsWhatAMessageIsAbout(_ sample: Sample) throws {
    let bytes = Array(sample.text.utf8)
    try bytes.withUnsafeBytes { raw in
      let head = try #require(MessageHead(raw))
      #expect(head.topic == sample.topic)
      #expect(head.conid == sample.conid)
      #expect(head.updated == sample.updated)
      #expect(head.hasError == sample.hasError)
      #expect(String(decoding: raw[head.targetPlace], as: UTF8.self) == sample.target)
    }
  }

  @Test(arguments: [
    "", " ", "null", "[]", "[1,2]", "hello", "{", #"{"topic":"smd+1""#, #"{"topic":"smd+1"} x"#,
    #"{"topic" "smd+1"}"#, #"{"topic":}"#, "\u{0}", #"{"a":tru"#,
  ])
  func whatIsNoObjectHasNoHead(_ text: String) {
    let isNone = Array(text.utf8).withUnsafeBytes { MessageHead($0) == nil }
    #expect(isNone)
  }

  /// Cut anywhere, or with any byte changed, a message never does more than be unrecognised.
  @Test(arguments: samples)
  func survivesDamage(_ sample: Sample) {
    var bytes = Array(sample.text.utf8)
    for count in bytes.indices {
      bytes[..<count].withUnsafeBytes { _ = MessageHead($0) }
    }
    for index in bytes.indices {
      for byte: UInt8 in [0, 0x22, 0x5C, 0x7B, 0x7D, 0x99, 0xFF] {
        let original = bytes[index]
        bytes[index] = byte
        bytes.withUnsafeBytes { _ = MessageHead($0) }
        bytes[index] = original
      }
    }
  }
}
