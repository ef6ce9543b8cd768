// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// Bars of one instrument (`smh`).
///
/// The server answers once, and keeps the request open until it is ended: at most five at a time. The
/// stream ends those that have had their answer when others wait. Answers name the instrument and
/// nothing else, so of several requests for one instrument each waits for the answer before it.
public struct HistoryFeed: Feed, Hashable {
  /// The contract id.
  public let conid: Int
  /// The exchange, nil for the server's choice.
  public let exchange: String?
  /// How far back, nil for the server's choice.
  public let period: HistoryPeriod?
  /// How long a bar is, nil for the server's choice.
  public let bar: BarLength?
  /// Whether bars outside regular trading hours are sent, nil for the server's choice.
  public let outsideRegularHours: Bool?
  /// What the bars are made of, nil for the server's choice.
  public let source: BarSource?
  /// The values of a bar, empty for the server's choice.
  public let values: [BarValue]

  /// What is asked of the server.
  public var request: FeedRequest {
    var parameters: [JSONValue.Member] = []
    func add(_ key: String, _ value: JSONValue?) {
      if let value { parameters.append(.init(key: key, value: value)) }
    }
    add("exchange", exchange.map { .string($0) })
    add("period", period.map { .string($0.text) })
    add("bar", bar.map { .string($0.rawValue) })
    // The documents spell it in two ways; this is the one of their sample (protocol reference 4.10).
    add("outsideRth", outsideRegularHours.map { .bool($0) })
    add("source", source.map { .string($0.rawValue) })
    let format = values.map { "%\($0.rawValue)" }.joined(separator: "/")
    add("format", format.isEmpty ? nil : .string(format))
    return FeedRequest(
      topic: .history,
      target: "\(conid)",
      conid: conid,
      parameters: parameters
    )
  }

  /// Reads a message as bars.
  ///
  /// - Parameter message: A message of this subscription.
  /// - Returns: The bars, nil for an error.
  public static func decode(_ message: Message) -> History? { History(message) }
}

/// How far back bars are asked for, within the server's limits.
public struct HistoryPeriod: Sendable, Hashable {
  let text: String

  private init(_ count: Int, _ unit: String, _ limits: ClosedRange<Int>) throws(IbkrError) {
    guard limits.contains(count) else {
      throw IbkrError(
        .invalidSubscription,
        "the server has no period of \(count)\(unit)",
        remedy: "ask for \(limits.lowerBound) to \(limits.upperBound) of this unit"
      )
    }
    text = "\(count)\(unit)"
  }

  /// Minutes, 1 to 30.
  ///
  /// - Parameter count: How many.
  /// - Returns: The period.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription` for other numbers.
  public static func minutes(_ count: Int) throws(IbkrError) -> HistoryPeriod {
    try HistoryPeriod(count, "min", 1...30)
  }

  /// Hours, 1 to 8.
  ///
  /// - Parameter count: How many.
  /// - Returns: The period.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription` for other numbers.
  public static func hours(_ count: Int) throws(IbkrError) -> HistoryPeriod {
    try HistoryPeriod(count, "h", 1...8)
  }

  /// Days, 1 to 1000.
  ///
  /// - Parameter count: How many.
  /// - Returns: The period.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription` for other numbers.
  public static func days(_ count: Int) throws(IbkrError) -> HistoryPeriod {
    try HistoryPeriod(count, "d", 1...1000)
  }

  /// Weeks, 1 to 792.
  ///
  /// - Parameter count: How many.
  /// - Returns: The period.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription` for other numbers.
  public static func weeks(_ count: Int) throws(IbkrError) -> HistoryPeriod {
    try HistoryPeriod(count, "w", 1...792)
  }

  /// Months, 1 to 182.
  ///
  /// - Parameter count: How many.
  /// - Returns: The period.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription` for other numbers.
  public static func months(_ count: Int) throws(IbkrError) -> HistoryPeriod {
    try HistoryPeriod(count, "m", 1...182)
  }

  /// Years, 1 to 15.
  ///
  /// - Parameter count: How many.
  /// - Returns: The period.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription` for other numbers.
  public static func years(_ count: Int) throws(IbkrError) -> HistoryPeriod {
    try HistoryPeriod(count, "y", 1...15)
  }
}

/// How long a bar is: the server has these and no others.
public enum BarLength: String, Sendable, Hashable, CaseIterable {
  /// One minute.
  case oneMinute = "1min"
  /// Two minutes.
  case twoMinutes = "2min"
  /// Three minutes.
  case threeMinutes = "3min"
  /// Five minutes.
  case fiveMinutes = "5min"
  /// Ten minutes.
  case tenMinutes = "10min"
  /// A quarter of an hour.
  case fifteenMinutes = "15min"
  /// Half an hour.
  case thirtyMinutes = "30min"
  /// One hour.
  case oneHour = "1h"
  /// Two hours.
  case twoHours = "2h"
  /// Three hours.
  case threeHours = "3h"
  /// Four hours.
  case fourHours = "4h"
  /// Eight hours.
  case eightHours = "8h"
  /// One day.
  case oneDay = "1d"
  /// One week.
  case oneWeek = "1w"
  /// One month.
  case oneMonth = "1m"
}

/// What bars are made of.
public enum BarSource: String, Sendable, Hashable, CaseIterable {
  /// The middle between bid and ask.
  case midpoint
  /// Trades.
  case trades
  /// Bid and ask.
  case bidAsk = "bid_ask"
  /// Bids.
  case bid
  /// Asks.
  case ask
}

/// A value of a bar, by the server's letter.
public enum BarValue: String, Sendable, Hashable, CaseIterable {
  /// The first price.
  case open = "o"
  /// The last price.
  case close = "c"
  /// The highest price.
  case high = "h"
  /// The lowest price.
  case low = "l"
  /// The volume.
  case volume = "v"
}

extension Feed where Self == HistoryFeed {
  /// Bars of one instrument; what is nil or empty is the server's choice.
  ///
  /// - Parameters:
  ///   - conid: The contract id.
  ///   - exchange: The exchange.
  ///   - period: How far back.
  ///   - bar: How long a bar is.
  ///   - outsideRegularHours: Whether bars outside regular trading hours are sent.
  ///   - source: What the bars are made of.
  ///   - values: The values of a bar.
  /// - Returns: The feed.
  /// - Throws: ``IbkrError`` with the code `invalidSubscription`, if the conid is not positive.
  public static func history(
    conid: Int,
    exchange: String? = nil,
    period: HistoryPeriod? = nil,
    bar: BarLength? = nil,
    outsideRegularHours: Bool? = nil,
    source: BarSource? = nil,
    values: [BarValue] = []
  ) throws(IbkrError) -> HistoryFeed {
    let feed = HistoryFeed(
      conid: conid,
      exchange: exchange,
      period: period,
      bar: bar,
      outsideRegularHours: outsideRegularHours,
      source: source,
      values: values
    )
    try feed.request.validate()
    return feed
  }
}
