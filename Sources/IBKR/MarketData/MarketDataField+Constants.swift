// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

extension MarketDataField {
  /// Last traded price.
  public static let lastPrice = MarketDataField(31)
  /// Symbol.
  public static let symbol = MarketDataField(55)
  /// Today's high.
  public static let highPrice = MarketDataField(70)
  /// Today's low.
  public static let lowPrice = MarketDataField(71)
  /// Last minus previous close.
  public static let change = MarketDataField(82)
  /// The same in percent.
  public static let changePercent = MarketDataField(83)
  /// Best bid.
  public static let bidPrice = MarketDataField(84)
  /// Size at the ask.
  public static let askSize = MarketDataField(85)
  /// Best ask.
  public static let askPrice = MarketDataField(86)
  /// Today's volume, rounded for display.
  public static let volume = MarketDataField(87)
  /// Size at the bid.
  public static let bidSize = MarketDataField(88)
  /// Availability code.
  public static let marketDataAvailability = MarketDataField(6509)
  /// Company name.
  public static let companyName = MarketDataField(7051)
  /// Exchanges at the ask, one letter each.
  public static let askCodes = MarketDataField(7057)
  /// Exchange(s) of the last trade.
  public static let lastExchCodes = MarketDataField(7058)
  /// Size of the last trade.
  public static let lastSize = MarketDataField(7059)
  /// Exchanges at the bid.
  public static let bidCodes = MarketDataField(7068)
  /// Option volume.
  public static let optVolume = MarketDataField(7089)
  /// Listing exchange.
  public static let listingExchange = MarketDataField(7221)
  /// 30-day implied volatility of the underlying, %.
  public static let optionImpliedVolPercent = MarketDataField(7283)
  /// Today's open.
  public static let openPrice = MarketDataField(7295)
  /// Today's close (empty or previous before the close).
  public static let closePrice = MarketDataField(7296)
  /// Option delta.
  public static let delta = MarketDataField(7308)
  /// Option gamma.
  public static let gamma = MarketDataField(7309)
  /// Option theta.
  public static let theta = MarketDataField(7310)
  /// Option vega.
  public static let vega = MarketDataField(7311)
  /// Implied volatility of this option, %.
  public static let impliedVolPercent = MarketDataField(7633)
  /// Mark: last clipped into bid/ask.
  public static let markPrice = MarketDataField(7635)
  /// Shares available for shorting.
  public static let shortableShares = MarketDataField(7636)
  /// Open interest of the option.
  public static let optionOpenInterest = MarketDataField(7638)
  /// Open interest of the future.
  public static let futuresOpenInterest = MarketDataField(7697)
  /// Yesterday's close.
  public static let priorClose = MarketDataField(7741)
  /// Today's volume, exact.
  public static let volumeLong = MarketDataField(7762)

  /// Bid, ask and last with their sizes, and the availability.
  public static let topOfBook: [MarketDataField] = [
    .lastPrice, .bidPrice, .askPrice, .askSize, .bidSize, .lastSize, .marketDataAvailability,
  ]

  /// What a recorder asks for: the top of the book, the day's figures and the change.
  public static let standard: [MarketDataField] = [
    .lastPrice, .bidPrice, .askPrice, .askSize, .bidSize, .lastSize, .volume, .highPrice, .lowPrice,
    .openPrice, .closePrice, .change, .changePercent, .marketDataAvailability,
  ]
}
