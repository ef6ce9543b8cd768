// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

// One line per field. `name` is the name that IBind users know, `meaning` what IBKR says it is.

extension MarketDataField {
  /// The fields that are known, in the order of their ids.
  ///
  /// IBKR adds fields without notice; one that is missing here works by its id all the same.
  public static let all: [Description] = pricesAndPositions + volumesAndVolatility + fundamentals
}

extension MarketDataField.Description {
  fileprivate init(
    _ id: Int,
    _ name: String,
    _ kind: MarketDataField.Kind,
    _ meaning: String
  ) {
    self.init(field: MarketDataField(id), name: name, kind: kind, meaning: meaning)
  }
}

extension MarketDataField {
  private static let pricesAndPositions: [Description] = [
    Description(31, "last_price", .price, "last traded price"),
    Description(55, "symbol", .text, "symbol"),
    Description(58, "text", .text, "free text of the contract"),
    Description(70, "high", .price, "today's high"),
    Description(71, "low", .price, "today's low"),
    Description(73, "market_value", .number, "value of the own position"),
    Description(74, "avg_price", .number, "average cost price of the own position"),
    Description(75, "unrealized_pnl", .number, "unrealised profit of the own position"),
    Description(76, "formatted_position", .text, "position as display text"),
    Description(77, "formatted_unrealized_pnl", .text, "unrealised profit as display text"),
    Description(78, "daily_pnl", .number, "today's profit of the own position"),
    Description(79, "realized_pnl", .number, "realised profit"),
    Description(80, "unrealized_pnl_percent", .percent, "unrealised profit in percent"),
    Description(82, "change", .price, "last minus previous close"),
    Description(83, "change_percent", .percent, "the same in percent"),
    Description(84, "bid_price", .price, "best bid"),
    Description(85, "ask_size", .size, "size at the ask"),
    Description(86, "ask_price", .price, "best ask"),
    Description(87, "volume", .count, "today's volume, rounded for display"),
    Description(88, "bid_size", .size, "size at the bid"),
    Description(201, "right", .text, "P or C of an option"),
    Description(6004, "exchange", .text, "exchange of the data"),
    Description(6008, "conid", .integer, "contract id"),
    Description(6070, "sec_type", .text, "asset class: STK OPT FUT …"),
    Description(6072, "months", .text, "contract months"),
    Description(6073, "regular_expiry", .text, "regular expiry"),
    Description(6119, "market_data_marker", .text, "request id (= server_id)"),
    Description(6457, "underlying_conid", .integer, "conid of the underlying"),
    Description(6508, "service_params", .text, "opaque"),
    Description(6509, "market_data_availability", .text, "availability code"),
  ]

  private static let volumesAndVolatility: [Description] = [
    Description(7051, "company_name", .text, "company name"),
    Description(7057, "ask_codes", .text, "exchanges at the ask, one letter each"),
    Description(7058, "last_exch_codes", .text, "exchange(s) of the last trade"),
    Description(7059, "last_size", .size, "size of the last trade"),
    Description(7068, "bid_codes", .text, "exchanges at the bid"),
    Description(
      7084,
      "implied_vol_hist_vol_percent",
      .percent,
      "implied over historical volatility, %"
    ),
    Description(7085, "put_call_interest", .number, "put/call open-interest ratio"),
    Description(7086, "put_call_volume", .number, "put/call volume ratio"),
    Description(7087, "hist_vol_percent", .percent, "30-day historical volatility, %"),
    Description(7088, "hist_vol_close_percent", .percent, "historical volatility from closes, %"),
    Description(7089, "opt_volume", .count, "option volume"),
    Description(7094, "conid_exchange", .text, "conid with exchange, 265598@SMART"),
    Description(7184, "can_be_traded", .flag, "1 or 0"),
    Description(7219, "contract_description", .text, "description"),
    Description(7220, "contract_description_alt", .text, "description, other form"),
    Description(7221, "listing_exchange", .text, "listing exchange"),
    Description(7280, "industry", .text, "industry"),
    Description(7281, "category", .text, "category inside the industry"),
    Description(7282, "average_volume_90", .count, "average daily volume, 90 days"),
    Description(
      7283,
      "option_implied_vol_percent",
      .percent,
      "30-day implied volatility of the underlying, %"
    ),
    Description(
      7284,
      "hist_vol_percent_deprecated",
      .percent,
      "historical volatility %, deprecated: use 7087"
    ),
    Description(7285, "put_call_ratio", .number, "put/call ratio"),
    Description(7286, "dividend_amount", .number, "next dividend"),
    Description(7287, "dividend_yield_percent", .percent, "dividend yield"),
    Description(7288, "ex_date_dividend", .text, "ex-dividend date"),
    Description(7289, "market_cap", .count, "market capitalisation"),
    Description(7290, "p_e", .number, "price/earnings"),
    Description(7291, "eps", .number, "earnings per share"),
    Description(7292, "cost_basis", .number, "cost basis of the own position"),
    Description(7293, "52_week_high", .price, "52-week high"),
    Description(7294, "52_week_low", .price, "52-week low"),
    Description(7295, "open", .price, "today's open"),
    Description(7296, "close", .price, "today's close (empty or previous before the close)"),
  ]

  private static let fundamentals: [Description] = [
    Description(7308, "delta", .number, "option delta"),
    Description(7309, "gamma", .number, "option gamma"),
    Description(7310, "theta", .number, "option theta"),
    Description(7311, "vega", .number, "option vega"),
    Description(7607, "opt_volume_change_percent", .percent, "option volume against its average"),
    Description(7633, "implied_vol_percent", .percent, "implied volatility of this option, %"),
    Description(7635, "mark_price", .price, "mark: last clipped into bid/ask"),
    Description(7636, "shortable_shares", .count, "shares available for shorting"),
    Description(7637, "shortable_fee_rate_percent", .percent, "annual fee for shorting"),
    Description(7638, "option_open_interest", .count, "open interest of the option"),
    Description(7639, "percent_of_mark_value", .percent, "share of the account's value"),
    Description(7644, "shortable", .text, "how hard to short, as a code or text"),
    Description(7655, "morningstar_rating", .text, "removed: Morningstar left on 2026-02-26"),
    Description(7671, "dividends", .number, "expected dividends next 12 months"),
    Description(7672, "dividends_ttm", .number, "dividends last 12 months"),
    Description(7674, "ema_200", .price, "EMA 200"),
    Description(7675, "ema_100", .price, "EMA 100"),
    Description(7676, "ema_50", .price, "EMA 50"),
    Description(7677, "ema_20", .price, "EMA 20"),
    Description(7678, "price_to_ema_200_percent", .percent, "price against EMA 200"),
    Description(7679, "price_to_ema_100_percent", .percent, "price against EMA 100"),
    Description(7681, "price_to_ema_20_percent", .percent, "price against EMA 20"),
    Description(7682, "change_since_open", .price, "last minus open"),
    Description(7683, "upcoming_event", .text, "next company event (subscription)"),
    Description(7684, "upcoming_event_date", .text, "its date"),
    Description(7685, "upcoming_analyst_meeting", .text, "next analyst meeting"),
    Description(7686, "upcoming_earnings", .text, "next earnings"),
    Description(7687, "upcoming_misc_event", .text, "next other event"),
    Description(7688, "recent_analyst_meeting", .text, "last analyst meeting"),
    Description(7689, "recent_earnings", .text, "last earnings"),
    Description(7690, "recent_misc_event", .text, "last other event"),
    Description(7694, "probability_of_max_return", .percent, "option: probability of maximum gain"),
    Description(7695, "break_even", .text, "option: break-even points"),
    Description(7696, "spx_delta", .number, "beta-weighted delta"),
    Description(7697, "futures_open_interest", .count, "open interest of the future"),
    Description(7698, "last_yield", .percent, "bond yield at last"),
    Description(7699, "bid_yield", .percent, "bond yield at bid"),
    Description(
      7700,
      "probability_of_max_return_alt",
      .percent,
      "listed as a second 'probability of max return'"
    ),
    Description(7702, "probability_of_max_loss", .percent, "option: probability of maximum loss"),
    Description(7703, "profit_probability", .percent, "option: probability of any gain"),
    Description(7704, "organization_type", .text, "bond: organisation type"),
    Description(7705, "debt_class", .text, "bond: debt class"),
    Description(7706, "ratings", .text, "bond: ratings"),
    Description(7707, "bond_state_code", .text, "bond: state code"),
    Description(7708, "bond_type", .text, "bond: type"),
    Description(7714, "last_trading_date", .text, "last trading date"),
    Description(7715, "issue_date", .text, "issue date"),
    Description(7718, "beta", .number, "beta"),
    Description(7720, "ask_yield", .percent, "bond yield at ask"),
    Description(7724, "price_to_ema_50_percent", .percent, "price against EMA 50"),
    Description(7741, "prior_close", .price, "yesterday's close"),
    Description(7762, "volume_long", .integer, "today's volume, exact"),
    Description(7768, "has_trading_permissions", .flag, "1 or 0"),
    Description(7920, "daily_pnl_raw", .number, "as 78, unformatted"),
    Description(7921, "cost_basis_raw", .number, "as 7292, unformatted"),
  ]
}
