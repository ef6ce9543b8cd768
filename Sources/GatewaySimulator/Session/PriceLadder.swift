// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// One `sbd` subscription: the lines around the market, and which of them were sent.
struct PriceLadder: Sendable {
  let account: String
  /// The conid, and the exchange if there was one: `265598+ARCA`.
  let target: String
  let conid: Int
  private var sent: [String] = []

  private static let depth: Int64 = 5

  init(account: String, target: String, conid: Int) {
    self.account = account
    self.target = target
    self.conid = conid
  }

  /// The lines that are not as they were last sent.
  ///
  /// - Parameters:
  ///   - feed: The instrument.
  ///   - moment: Decides the sizes.
  /// - Returns: The message, nil if nothing has changed.
  mutating func changes(_ feed: InstrumentFeed, moment: UInt64) -> String? {
    let lines = Self.lines(feed, moment: moment)
    let news = lines.indices.filter { !sent.indices.contains($0) || sent[$0] != lines[$0] }
    sent = lines
    guard !news.isEmpty else { return nil }
    let data = news.map { #"{"row":\#($0),\#(lines[$0])}"# }.joined(separator: ",")
    return #"{"topic":"sbd+\#(account)+\#(target)","data":[\#(data)]}"#
  }

  private static func lines(_ feed: InstrumentFeed, moment: UInt64) -> [String] {
    guard case .price(let last, let digits, _)? = feed.value(of: Field(number: 31)) else {
      return []
    }
    let tick = feed.instrument.tick
    return (-depth...depth).map { step in
      let units = max(tick, last - step * tick)
      let price = FieldValue.decimal(units, digits: digits)
      // Most lines stay as they are from one moment to the next.
      var random = SplitMix64(seed: UInt64(bitPattern: units), stream: moment / 4)
      let size = 100 * random.next(in: 1...30)
      switch step {
      case 0: return #""focus":1,"price":"\#(size) @ \#(price)""#
      case ..<0: return #""focus":0,"price":"\#(price)","ask":"\#(size)""#
      default: return #""focus":0,"price":"\#(price)","bid":"\#(size)""#
      }
    }
  }
}
