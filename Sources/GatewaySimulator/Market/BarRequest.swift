// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// What a request for bars wants, from its parameters (protocol reference 4.10 and 6.5).
struct BarRequest: Sendable {
  /// Which of its bars an answer has.
  enum Part: Sendable { case all, olderHalf, none }

  let conid: Int
  /// How far back, in seconds.
  let period: Int64
  /// How many seconds a bar spans.
  let length: Int64
  /// The values of a bar that are wanted; empty for all.
  let values: Set<Character>
  let outsideRegularHours: Bool
  /// The period as an answer by REST names it; nil for the socket's way.
  var periodText: String?
  /// By how many seconds the data is late.
  var delay: Int64 = 0
  var part = Part.all

  /// So many bars are in an answer at most; of more, nothing is said.
  static let mostBars: Int64 = 1_000

  /// The lengths of bars that the server has.
  static let bars: Set<String> = [
    "1min", "2min", "3min", "5min", "10min", "15min", "30min", "1h", "2h", "3h", "4h", "8h", "1d",
    "1w", "1m",
  ]

  /// Reads the parameters; what is missing is the server's choice.
  init(conid: Int, period: String?, bar: String?, format: String?, outsideRegularHours: Bool) {
    self.conid = conid
    self.period = period.flatMap(Self.seconds) ?? 7 * 86_400
    length = bar.flatMap(Self.seconds) ?? 900
    values = Set((format ?? "").filter { "ochlv".contains($0) })
    self.outsideRegularHours = outsideRegularHours
  }

  /// Whether the server has such a period.
  static func isPeriod(_ text: String) -> Bool {
    let digits = text.prefix { $0.isNumber }
    let limits: [Substring: Int] = [
      "min": 30, "h": 8, "d": 1_000, "w": 792, "m": 182, "y": 15,
    ]
    guard let count = Int(digits), let limit = limits[text.dropFirst(digits.count)] else {
      return false
    }
    return (1...limit).contains(count)
  }

  private static func seconds(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isNumber }
    guard let count = Int64(digits), (1...100_000).contains(count) else { return nil }
    let units: [Substring: Int64] = [
      "min": 60, "h": 3_600, "d": 86_400, "w": 604_800, "m": 2_592_000, "y": 31_536_000,
    ]
    return units[text.dropFirst(digits.count)].map { $0 * count }
  }

  /// The answer.
  ///
  /// - Parameters:
  ///   - id: What the server calls the request.
  ///   - instrument: The instrument.
  ///   - gateway: Knows what was traded, and the seed that decides the rest.
  ///   - end: Every bar begins before this time, in seconds since 1970.
  ///   - now: The time now.
  /// - Returns: The members of a JSON object, without the braces.
  func answer(
    id: String,
    _ instrument: Instrument,
    _ gateway: GatewayState,
    until end: Int64,
    at now: Int64
  ) -> String {
    let maker = BarMaker(instrument, seed: gateway.options.seed, length: length)
    let count = min(max(1, period / length), Self.mostBars)
    let newest = (end - 1) / length
    var indices = Array(newest - count + 1...newest)
    // What is late is not there at all.
    indices.removeAll { $0 * length > now - delay }
    switch part {
    case .all: break
    case .olderHalf: indices = Array(indices.prefix(indices.count / 2))
    case .none: indices = []
    }
    let bars = indices.map { index in
      let minutes = index * length / 60..<max(index * length / 60 + 1, (index + 1) * length / 60)
      return (index, gateway.traded.bar(of: conid, in: minutes) ?? maker.bar(index))
    }
    let start = UTCTime(realtime: (indices.first ?? newest) * length * 1_000_000_000).description
    let date = start.prefix(10).filter { $0 != "-" }
    let summary =
      periodText == nil
      ? ""
      : #""high":"\#(Self.extreme(bars, length) { $0.high })","#
        + #""low":"\#(Self.extreme(bars, length) { -$0.low })","#
    let data = bars.map { maker.text(of: $0.1, $0.0, values: values) }.joined(separator: ",")
    return #""serverId":"\#(id)","symbol":"\#(instrument.symbol)","#
      + #""text":\#(instrument.companyName.asJSON),"priceFactor":100,"#
      + #""startTime":"\#(date)-\#(start.dropFirst(11).prefix(8))",\#(summary)"#
      + #""timePeriod":"\#(periodText ?? "\(period)s")","#
      + #""barLength":\#(length),"mdAvailability":"S","mktDataDelay":\#(delay),"#
      + #""outsideRth":\#(outsideRegularHours),"volumeFactor":\#(BarMaker.volumeFactor),"#
      + #""priceDisplayRule":1,"priceDisplayValue":"2","negativeCapable":false,"#
      + #""messageVersion":2,"data":[\#(data)],"points":\#(max(0, bars.count - 1))"#
  }

  /// The bar that has the most of something, as `price/volume/minutes from start`.
  private static func extreme(
    _ bars: [(Int64, TradedBars.Bar)],
    _ length: Int64,
    _ value: (TradedBars.Bar) -> Int64
  ) -> String {
    guard let first = bars.first, let bar = bars.max(by: { value($0.1) < value($1.1) }) else {
      return "0/0/0"
    }
    let volume = FieldValue.javaDouble(bar.1.volume * 1_000 / BarMaker.volumeFactor, digits: 3)
    return "\(abs(value(bar.1)))/\(volume)/\((bar.0 - first.0) * length / 60)"
  }
}
