// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import Testing

@testable import Recording

@Suite struct RedactorTests {
  /// Messages with planted secrets, and what must be left of them.
  static let cases: [(topic: Topic?, message: String, expected: String?)] = [
    (.waitingForSession, #"{"session":"SECRET1"}"#, #"{"session":"<redacted>"}"#),
    (nil, #"{ "session" : "SEC\"RET1" , "x":1}"#, #"{ "session" : "<redacted>" , "x":1}"#),
    (
      .tic, #"{"topic":"tic","alive":true,"id":"SECRET1","lastAccessed":17}"#,
      #"{"topic":"tic","alive":true,"id":"<redacted>","lastAccessed":17}"#
    ),
    (.notification, #"{"topic":"ntf","args":[{"id":"118","text":"t"}]}"#, nil),
    (
      .system, #"{"topic":"system","success":"SECRET1","isFT":false}"#,
      #"{"topic":"system","success":"<redacted>","isFT":false}"#
    ),
    (.system, #"{"topic":"system","hb":1777415611502}"#, nil),
    (
      .status,
      #"{"topic":"sts","args":{"authenticated":true,"MAC":"SECRET1","username":"SECRET2"}}"#,
      #"{"topic":"sts","args":{"authenticated":true,"MAC":"<redacted>","username":"<redacted>"}}"#
    ),
    (
      nil,
      #"{"iserver":{"authStatus":{"hardware_info":"SECRET1|SECRET2","serverInfo":{"a":"b"}}}}"#,
      #"{"iserver":{"authStatus":{"hardware_info":"<redacted>","serverInfo":{"a":"b"}}}}"#
    ),
    (
      .accounts,
      #"{"topic":"act","args":{"accounts":["SECRET1","SECRET2"],"acctProps":{"SECRET1":{"a":false}},"#
        + #""aliases":{"SECRET1":"SECRET1","SECRET2":"SECRET3"},"selectedAccount":"SECRET2"}}"#,
      #"{"topic":"act","args":{"accounts":["acct-1","acct-2"],"acctProps":{"acct-1":{"a":false}},"#
        + #""aliases":{"acct-1":"acct-1","acct-2":"acct-3"},"selectedAccount":"acct-2"}}"#
    ),
    (
      .orders, #"{"topic":"sor","args":[{"acct":"SECRET1","conid":265598,"ticker":"AAPL"}]}"#,
      #"{"topic":"sor","args":[{"acct":"acct-1","conid":265598,"ticker":"AAPL"}]}"#
    ),
    (
      .trades, #"{"topic":"str","args":[{"account":"SECRET1","submitter":"SECRET2","price":"1"}]}"#,
      #"{"topic":"str","args":[{"account":"acct-1","submitter":"<redacted>","price":"1"}]}"#
    ),
    (
      .orders, #"{"orders":[{"acct":"SECRET1","account":"SECRET1"}],"snapshot":true}"#,
      #"{"orders":[{"acct":"acct-1","account":"acct-1"}],"snapshot":true}"#
    ),
    (
      .profitAndLoss, #"{"topic":"spl","args":{"SECRET1.Core":{"dpl":-58.28}}}"#,
      #"{"topic":"spl","args":{"acct-1.Core":{"dpl":-58.28}}}"#
    ),
    (
      .accountLedger, #"{"result":[{"acctCode":"SECRET1","key":"USD"}],"topic":"sld+SECRET1"}"#,
      #"{"result":[{"acctCode":"acct-1","key":"USD"}],"topic":"sld+acct-1"}"#
    ),
    (
      .priceLadder, #"{"topic":"sbd+SECRET1+265598","data":[]}"#,
      #"{"topic":"sbd+acct-1+265598","data":[]}"#
    ),
    (
      .accountSummary, #"{"topic":"ssd+SECRET1","result":[{"value":"of SECRET1, not XSECRET1"}]}"#,
      #"{"topic":"ssd+acct-1","result":[{"value":"of acct-1, not XSECRET1"}]}"#
    ),
    (nil, #"{"session":"SECRET1"#, #"{"session":"<redacted>"#),
    (nil, #"{"session":"SECRET1\"#, #"{"session":"<redacted>"#),
    (nil, #"{"session":null,"session":"","a":"session"}"#, nil),
    (nil, #"["session","id"]"#, nil),
    (nil, "", nil),
  ]

  @Test(arguments: cases.indices)
  func plantedSecretsDisappear(_ index: Int) {
    let (topic, message, expected) = Self.cases[index]
    var redactor = Redactor()
    #expect(redacted(message, topic, by: &redactor) == expected)
  }

  @Test(arguments: cases.indices)
  func damagedMessagesKeepTheirSecretsTo(_ index: Int) {
    // Cut anywhere, no message shows the beginning of a secret that stands under its name.
    let (topic, message, expected) = Self.cases[index]
    guard expected?.contains("<redacted>") == true else { return }
    for length in 0...message.utf8.count {
      let piece = String(decoding: message.utf8.prefix(length), as: UTF8.self)
      var redactor = Redactor()
      let left = redacted(piece, topic, by: &redactor) ?? piece
      #expect(!left.contains("SECRET"), "\(piece) became \(left)")
    }
  }

  @Test func aliasesStayTheSameForTheWholeRun() {
    var redactor = Redactor()
    _ = redacted(#"{"acct":"U1"}"#, .orders, by: &redactor)
    _ = redacted(#"{"acct":"U2"}"#, .orders, by: &redactor)
    #expect(redacted(#"{"a":"U2 and U1"}"#, nil, by: &redactor) == #"{"a":"acct-2 and acct-1"}"#)
    #expect(redacted(#"{"U1":"U10"}"#, nil, by: &redactor) == #"{"acct-1":"U10"}"#)
  }

  @Test func accountsStayWhenTheyAreToBeKept() {
    var redactor = Redactor(keepsAccounts: true)
    #expect(redacted(#"{"acct":"U1","acctCode":"U1"}"#, .orders, by: &redactor) == nil)
    #expect(
      redacted(#"{"acct":"U1","session":"S"}"#, .orders, by: &redactor)
        == #"{"acct":"U1","session":"<redacted>"}"#
    )
    #expect(redacted("sld+U1+{}", .accountLedger, .outbound, by: &redactor) == nil)
  }

  @Test(
    arguments: [
      ("sld+U1+{\"keys\":[]}", Topic.accountLedger, "sld+acct-1+{\"keys\":[]}"),
      ("ubd+U1", .priceLadder, "ubd+acct-1"),
      ("sbd+U1+265598", .priceLadder, "sbd+acct-1+265598"),
      ("usd+{}", .accountSummary, nil), ("sor+{}", .orders, nil), ("tic", .tic, nil),
    ] as [(String, Topic, String?)]
  )
  func commands(_ command: String, _ topic: Topic, _ expected: String?) {
    var redactor = Redactor()
    #expect(redacted(command, topic, .outbound, by: &redactor) == expected)
  }

  @Test func bracketsWithoutEndCostNoMemory() {
    var redactor = Redactor()
    let message = String(repeating: "[", count: 100_000) + #"{"session":"SECRET"}"#
    #expect(redacted(message, nil, by: &redactor)?.hasSuffix(#"{"session":"<redacted>"}"#) != false)
  }

  private func redacted(
    _ message: String,
    _ topic: Topic?,
    _ direction: Direction = .inbound,
    by redactor: inout Redactor
  ) -> String? {
    var source = EventSource()
    source.message(message.utf8, topic: topic, direction: direction)
    guard let record = try? source.take().records.first else { return nil }
    let bytes = Array(message.utf8).withUnsafeBytes { redactor.redacted($0, of: record) }
    return bytes.map { String(decoding: $0, as: UTF8.self) }
  }
}
