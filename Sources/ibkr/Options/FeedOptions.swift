// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import IBKR
import Recording

/// What to subscribe to besides quotes.
struct FeedOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What to subscribe to besides quotes: \(FeedList.help). The channels are recorded as well.",
      valueName: "channel,…"
    ),
    transform: FeedList.parse
  )
  var feeds: FeedList?

  @Option(
    help: ArgumentHelp(
      "How far back history goes, and the length of its bars: 1d/5min, 2w/1h. Without it the "
        + "server's choice.",
      valueName: "period/bar"
    )
  )
  var bars: BarSpan?

  /// The channels that are asked for.
  var channels: Set<Channel> { feeds?.channels ?? [] }

  /// The feeds of one instrument.
  ///
  /// - Parameters:
  ///   - conid: The instrument.
  ///   - exchange: The exchange whose data is wanted; nil for all.
  /// - Returns: The feeds.
  /// - Throws: `IbkrError` if the server cannot be asked for them.
  func feeds(conid: Int, exchange: String?) throws -> [any Feed] {
    guard channels.contains(.history) else { return [] }
    return [
      try HistoryFeed.history(
        conid: conid,
        exchange: exchange,
        period: bars?.period,
        bar: bars?.bar
      )
    ]
  }

  /// The feeds that need neither an instrument nor the name of an account.
  var feedsOfAll: [any Feed] {
    var feeds: [any Feed] = []
    if channels.contains(.order) { feeds.append(OrdersFeed.orders()) }
    if channels.contains(.trade) { feeds.append(TradesFeed.trades()) }
    if channels.contains(.pnl) { feeds.append(ProfitAndLossFeed.profitAndLoss()) }
    return feeds
  }

  /// Whether accounts have to be named.
  var needsAccounts: Bool { !channels.isDisjoint(with: [.book, .ledger, .summary]) }

  /// The feeds of some accounts.
  ///
  /// - Parameters:
  ///   - accounts: The accounts.
  ///   - conid: The instrument whose order book is wanted: the server shows one at a time.
  /// - Returns: The feeds.
  /// - Throws: `IbkrError` if the server cannot be asked for them.
  func feeds(of accounts: [Secret], conid: Int?) throws -> [any Feed] {
    var feeds: [any Feed] = []
    if channels.contains(.book), let account = accounts.first, let conid {
      feeds.append(try PriceLadderFeed.priceLadder(account: account, conid: conid))
    }
    for account in accounts {
      if channels.contains(.ledger) {
        feeds.append(try AccountLedgerFeed.accountLedger(account: account))
      }
      if channels.contains(.summary) {
        feeds.append(try AccountSummaryFeed.accountSummary(account: account))
      }
    }
    return feeds
  }
}

/// Feeds by the channels that they are recorded in: `order,trade`.
struct FeedList: Hashable {
  /// The channels.
  let channels: Set<Channel>

  private static let known: [Channel] = [
    .book, .history, .order, .trade, .pnl, .ledger, .summary,
  ]

  init(_ text: String) throws(UnknownWord) {
    channels = try ChannelList(text, of: Self.known).channels
  }

  /// Reads a list, for an option's `transform`.
  static func parse(_ text: String) throws -> FeedList { try FeedList(text) }

  /// What there is to choose from.
  static let help = known.map(\.rawValue).joined(separator: ", ")
}

/// A period and the length of its bars: `1d/5min`.
struct BarSpan: ExpressibleByArgument, Hashable {
  /// How far back.
  let period: HistoryPeriod
  /// How long a bar is.
  let bar: BarLength

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let period = Self.period(parts[0]),
      let bar = BarLength(rawValue: String(parts[1]))
    else { return nil }
    self.period = period
    self.bar = bar
  }

  private static func period(_ text: Substring) -> HistoryPeriod? {
    let digits = text.prefix { $0.isNumber }
    guard let count = Int(digits) else { return nil }
    switch text.dropFirst(digits.count) {
    case "min": return try? .minutes(count)
    case "h": return try? .hours(count)
    case "d": return try? .days(count)
    case "w": return try? .weeks(count)
    case "m": return try? .months(count)
    case "y": return try? .years(count)
    default: return nil
    }
  }
}
