// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// Bars of one instrument: the same for the same seed and time, whoever asks and when.
struct BarMaker: Sendable {
  private let instrument: Instrument
  private let seed: UInt64
  /// How many seconds a bar spans.
  let length: Int64

  /// By what volumes are to be multiplied: IBKR's answers have 1, 40 or 100.
  static let volumeFactor: Int64 = 100

  init(_ instrument: Instrument, seed: UInt64, length: Int64) {
    self.instrument = instrument
    self.seed = seed
    self.length = max(1, length)
  }

  /// A bar as the server writes it.
  ///
  /// - Parameters:
  ///   - index: Its number since 1970.
  ///   - values: The values that are wanted; empty for all.
  /// - Returns: A JSON object.
  func bar(_ index: Int64, values: Set<Character> = []) -> String {
    var random = SplitMix64(seed: seed, stream: mixed(index))
    let open = price(at: index)
    let close = price(at: index + 1)
    let high = max(open, close) + random.next(in: 0...5) * instrument.tick
    let low = max(instrument.tick, min(open, close) - random.next(in: 0...5) * instrument.tick)
    let volume = random.next(in: 1_000...900_000_000)
    let members: [(Character, String)] = [
      ("o", number(open)), ("c", number(close)), ("h", number(high)), ("l", number(low)),
      ("v", FieldValue.javaDouble(volume, digits: 3)),
    ]
    let wanted = members.filter { values.isEmpty || values.contains($0.0) }
      .map { "\"\($0.0)\":\($0.1)" }
    return "{\((wanted + ["\"t\":\(index * length * 1_000)"]).joined(separator: ","))}"
  }

  private func price(at index: Int64) -> Int64 {
    var random = SplitMix64(seed: seed &+ 1, stream: mixed(index))
    return max(instrument.tick, instrument.price + random.next(in: -40...40) * instrument.tick)
  }

  private func mixed(_ index: Int64) -> UInt64 {
    UInt64(bitPattern: index &* 1_000_003 &+ Int64(instrument.conid) &* 31 &+ length)
  }

  private func number(_ units: Int64) -> String {
    FieldValue.javaDouble(units, digits: instrument.priceDigits)
  }
}

/// What a request for bars wants, from its parameters (protocol reference 4.10).
struct BarRequest: Sendable {
  let conid: Int
  /// How far back, in seconds.
  let period: Int64
  /// How many seconds a bar spans.
  let length: Int64
  /// The values of a bar that are wanted; empty for all.
  let values: Set<Character>
  let outsideRegularHours: Bool

  /// Reads the parameters; what is missing is the server's choice.
  init(conid: Int, period: String?, bar: String?, format: String?, outsideRegularHours: Bool) {
    self.conid = conid
    self.period = period.flatMap(Self.seconds) ?? 7 * 86_400
    length = bar.flatMap(Self.seconds) ?? 900
    values = Set((format ?? "").filter { "ochlv".contains($0) })
    self.outsideRegularHours = outsideRegularHours
  }

  private static func seconds(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isNumber }
    guard let count = Int64(digits), (1...100_000).contains(count) else { return nil }
    let units: [Substring: Int64] = [
      "min": 60, "h": 3_600, "d": 86_400, "w": 604_800, "m": 2_592_000, "y": 31_536_000,
    ]
    return units[text.dropFirst(digits.count)].map { $0 * count }
  }

  /// The answer, which ends now.
  ///
  /// - Parameters:
  ///   - id: What the server calls the request.
  ///   - instrument: The instrument.
  ///   - seed: Decides the prices.
  ///   - seconds: The time, since 1970.
  /// - Returns: The members of a JSON object, without the braces.
  func answer(id: String, _ instrument: Instrument, seed: UInt64, at seconds: Int64) -> String {
    let maker = BarMaker(instrument, seed: seed, length: length)
    let count = min(max(1, period / length), 1_000)
    let last = seconds / length
    let bars = (last - count + 1...last).map { maker.bar($0, values: values) }
    let start = UTCTime(realtime: (last - count + 1) * length * 1_000_000_000).description
    let date = start.prefix(10).filter { $0 != "-" }
    return #""serverId":"\#(id)","symbol":"\#(instrument.symbol)","#
      + #""text":\#(instrument.companyName.asJSON),"priceFactor":100,"#
      + #""startTime":"\#(date)-\#(start.dropFirst(11).prefix(8))","timePeriod":"\#(period)s","#
      + #""barLength":\#(length),"mdAvailability":"S","mktDataDelay":0,"#
      + #""outsideRth":\#(outsideRegularHours),"volumeFactor":\#(BarMaker.volumeFactor),"#
      + #""priceDisplayRule":1,"priceDisplayValue":"2","negativeCapable":false,"#
      + #""messageVersion":2,"data":[\#(bars.joined(separator: ","))],"points":\#(count - 1)"#
  }
}
