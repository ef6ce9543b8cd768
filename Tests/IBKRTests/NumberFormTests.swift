// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import IBKR

/// Numbers in every form that IBKR prints them in, made at random and read back exactly.
@Suite struct NumberFormTests {
  /// One number and one way to print it.
  private struct Printed {
    var text: String
    var value: Decimal
    var mark: MarketDataValue.Mark?
    var isAbbreviated = false

    init(using random: inout SplitMix) {
      let whole = String(UInt64.random(in: 0...(1 << UInt64.random(in: 1...40)), using: &random))
      let digits = Int.random(in: 0...8, using: &random)
      let fraction = (0..<digits).map { _ in "\(Int.random(in: 0...9, using: &random))" }.joined()
      let sign = Bool.random(using: &random) ? "-" : ""
      let plain = fraction.isEmpty ? "\(sign)\(whole)" : "\(sign)\(whole).\(fraction)"
      text = plain
      value = Decimal(plain) ?? Decimal(0)
      switch Int.random(in: 0..<8, using: &random) {
      case 0:
        let groups = Self.grouped(whole)
        text = fraction.isEmpty ? "\(sign)\(groups)" : "\(sign)\(groups).\(fraction)"
      case 1: text += "%"
      case 2:
        let place = Int.random(in: 0..<4, using: &random)
        let suffix = ["K", "M", "B", "T"][place]
        text += Bool.random(using: &random) ? suffix : suffix.lowercased()
        value = value.multiplied(byPowerOfTen: 3 * place + 3) ?? value
        isAbbreviated = true
      case 3:
        let power = Int.random(in: -12...12, using: &random)
        text += "\(Bool.random(using: &random) ? "e" : "E")\(power)"
        value = value.multiplied(byPowerOfTen: power) ?? value
      case 4:
        mark = Bool.random(using: &random) ? .previousClose : .halted
        text = (mark == .halted ? "H" : "C") + text
      case 5: text = sign.isEmpty ? "+\(text)" : text
      case 6: text = " \(text)  "
      default: break
      }
    }

    private static func grouped(_ digits: String) -> String {
      var result = ""
      for (place, digit) in digits.enumerated() {
        if place > 0, (digits.count - place) % 3 == 0 { result.append(",") }
        result.append(digit)
      }
      return result
    }
  }

  @Test func readsEveryFormExactly() throws {
    var random = SplitMix(state: 5)
    for _ in 0..<5_000 {
      let printed = Printed(using: &random)
      let number = QuoteNumber(printed.text, allowsMark: true)
      #expect(number.decimal == printed.value, "'\(printed.text)'")
      #expect(number.decimal?.description == printed.value.description, "'\(printed.text)'")
      #expect(number.mark == printed.mark)
      #expect(number.isAbbreviated == printed.isAbbreviated)
      #expect(!number.isNone)
    }
  }

  /// As a string and as a number, in a quote and in a row, with the characters escaped or not.
  @Test func findsTheSameNumberWhereverItStands() throws {
    var random = SplitMix(state: 6)
    for _ in 0..<1_000 {
      let printed = Printed(using: &random)
      let escaped = printed.text.unicodeScalars.map { scalar in
        let digits = String(scalar.value, radix: 16)
        return Bool.random(using: &random) && Bool.random(using: &random)
          ? "\\u" + String(repeating: "0", count: 4 - digits.count) + digits : "\(scalar)"
      }.joined()
      let isNumber = (try? JSONValue(parsing: Array(printed.text.utf8))) != nil
      for value in ["\"\(escaped)\"", isNumber ? printed.text : "\"\(printed.text)\""] {
        let quote = try #require(
          Message(received: "{\"topic\":\"smd+1\",\"84\":\(value),\"31\":\(value)}")?.marketData
        )
        #expect(quote.bid == printed.value, "\(value)")
        #expect(quote[.lastPrice]?.mark == printed.mark, "\(value)")
        guard printed.mark == nil else { continue }
        let order = Message(received: "{\"topic\":\"sor\",\"args\":[{\"price\":\(value)}]}")?.orders
        #expect(order?.updates.first?.price == printed.value, "\(value)")
      }
    }
  }

  /// The merged state is the same, whatever the form.
  @Test func theStateHasTheSameNumber() {
    var random = SplitMix(state: 7)
    for _ in 0..<1_000 {
      let printed = Printed(using: &random)
      var state = QuoteState()
      let text = "{\"topic\":\"smd+1\",\"84\":\"\(printed.text)\"}"
      let update = Array(text.utf8).withUnsafeBytes { state.apply($0) }
      #expect(update?.carriesFields == true)
      #expect(state[.bid] == printed.value)
    }
  }

  @Test(arguments: ["", "-", "N/A", "None", "null", #"N\/A"#, #"\u002d"#, " N/A "])
  func noValueIsTold(_ text: String) throws {
    let quote = try #require(
      Message(received: "{\"topic\":\"smd+1\",\"31\":\"\(text)\"}")?.marketData
    )
    #expect(quote[.lastPrice]?.isNone == true)
    #expect(quote.last == nil)
    #expect(quote[.bidPrice] == nil)
  }
}
