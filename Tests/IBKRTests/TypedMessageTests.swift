// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import JSON
import Testing

@testable import IBKR

/// Every message that the protocol reference shows, decoded to the value that it stands for.
@Suite struct TypedMessageTests {
  /// Two lines of `Fixtures/messages/protocol.txt`: a message, and what comes of it.
  struct Sample: Sendable, CustomTestStringConvertible {
    let message: String
    let portrait: String
    var testDescription: String { String(message.prefix(70)) }
  }

  static let samples: [Sample] = {
    let path = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    guard let file = fopen("\(path)/Fixtures/messages/protocol.txt", "r") else { return [] }
    defer { fclose(file) }
    var lines: [String] = []
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while true {
      let count = getline(&line, &capacity, file)
      guard count > 0, let line else { break }
      let bytes = UnsafeRawBufferPointer(start: line, count: count - 1)
      if count > 1, bytes.first != UInt8(ascii: "#") {
        lines.append(String(decoding: bytes, as: UTF8.self))
      }
    }
    return stride(from: 0, to: lines.count - 1, by: 2).map { index in
      Sample(message: lines[index], portrait: lines[index + 1])
    }
  }()

  @Test(arguments: samples)
  func decodesTheSamplesOfTheProtocolReference(_ sample: Sample) throws {
    let message = try #require(Message(received: sample.message))
    #expect(Portrait(message.content).description == sample.portrait)
  }

  @Test func thereAreSamples() {
    #expect(Self.samples.count >= 60)
  }

  /// The one look and the strict reader agree about all of them.
  @Test(arguments: samples)
  func theHeadIsWhatTheStrictReaderFinds(_ sample: Sample) {
    let bytes = Array(sample.message.utf8)
    if let reference = ReferenceHead(bytes) { #expect(reference.difference(from: bytes) == nil) }
  }

  @Test func ordersAreMergedFromTheirUpdates() throws {
    let messages = Self.samples.filter { $0.message.contains("912091175") }
    let orders = try messages.map { try #require(Message(received: $0.message)?.orders).updates[0] }
    #expect(orders.count == 6)
    var order = orders[0]
    for update in orders.dropFirst() { order.merge(update) }
    #expect(order.status == .cancelled)
    #expect(order.symbol == "AAPL")
    #expect(order.price == Decimal("1.00"))
    #expect(order.row["bgColor"] == "#FFFFFF")
  }

  @Test func accountsAreMergedFromTheirUpdates() throws {
    func summary(_ rows: String) throws -> AccountSummary {
      try #require(
        Message(received: #"{"topic":"ssd+DU1","result":[\#(rows)]}"#)?.accountSummary
      )
    }
    var state = try summary(
      #"{"key":"Cushion","value":"1"},{"key":"NetLiquidation","currency":"USD","monetaryValue":5.10}"#
    )
    state.merge(
      try summary(#"{"key":"NetLiquidation","currency":"USD","monetaryValue":"1,005.20"}"#)
    )
    #expect(state.values.count == 2)
    #expect(state["NetLiquidation"]?.amount?.description == "1005.20")
    #expect(state["Cushion"]?.text == "1")

    func ledger(_ rows: String) throws -> AccountLedger {
      try #require(
        Message(received: #"{"result":[\#(rows)],"topic":"sld+DU1"}"#)?.accountLedger
      )
    }
    var balances = try ledger(
      #"{"key":"LedgerListBASE","cashbalance":1.5},{"key":"LedgerListUSD","cashbalance":1.5}"#
    )
    balances.merge(try ledger(#"{"key":"LedgerListUSD","timestamp":5}"#))
    #expect(balances["USD"]?.cash?.description == "1.5")
    #expect(balances["USD"]?.time == 5_000_000_000)
    #expect(balances["EUR"] == nil)
  }

  /// Bytes that are not UTF-8, in a name: the order is told all the same.
  @Test func aWrongLetterCostsNoOrder() throws {
    let text = #"{"topic":"sor","args":[{"orderId":"7","companyName":"A?B","price":1e1}]}"#
    let bytes = text.utf8.map { $0 == UInt8(ascii: "?") ? 0x99 : $0 }
    let order = try #require(Message(received: bytes)?.orders?.updates.first)
    #expect(order.orderID == 7)
    #expect(order.price == Decimal("10"))
    #expect(order.companyName == "A\u{FFFD}B")
  }

  /// Nothing that has no type is left out.
  @Test(arguments: [
    "", "null", "[]", "hello", #"{"topic":"sor"}"#, #"{"topic":"sor","args":7}"#, #"{"a":1"#,
    #"{"topic":"ssd+DU1","result":"x"}"#, #"{"topic":"spl","args":[]}"#, #"[{"topic":"sor"}]"#,
    #"{"topic":"sts"}"#, #"{"topic":"abc+1"}"#, #"{"topic":"sor","args":[],}"#,
  ])
  func whatHasNoTypeIsItsBytes(_ text: String) throws {
    let content = try #require(Message(received: text)?.content)
    guard case .unrecognised(let bytes) = content else {
      Issue.record("\(text) is \(Portrait(content))")
      return
    }
    #expect(bytes == Array(text.utf8))
  }

  @Test func printingShowsNoAccounts() throws {
    for sample in Self.samples {
      let message = try #require(Message(received: sample.message))
      guard case .unrecognised? = message.content else {
        var dumped = ""
        dump(message.content, to: &dumped)
        for text in ["\(message.content as Any)", String(reflecting: message.content), dumped] {
          #expect(!text.contains("DU1") && !text.contains("U1234567") && !text.contains("user"))
        }
        continue
      }
    }
  }
}
