// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

// The columns of ch=pnl, ch=ledger, ch=summary (protocol reference 4.13) and ch=status.
extension RowTable {
  static let pnl = RowTable([
    place,
    account(),
    .given("model", .stringOrNull) { .text(orNull: $0.model) },
    .decimal("daily", "dpl"),
    .decimal("unrealized", "upl"),
    .decimal("net_liquidation", "nl"),
    .decimal("market_value", "mv"),
    .decimal("excess_liquidity", "el"),
    .decimal("excess_liquidity_exact", "uel"),
  ])

  static let ledger = RowTable(
    [
      place,
      account("acctCode"),
      .text("key", "key"),
      RowColumn("currency", .stringOrNull) { row, _ in
        let currency = AccountLedger.Balance(row: row).currency
        return RowColumn.Found(
          cell: .text(orNull: currency.isEmpty ? nil : currency),
          used: row["secondKey"] == currency ? ["secondKey"] : []
        )
      },
      .decimal("cash", "cashbalance", "cashBalance"),
      .decimal("settled_cash", "settledCash"),
      .decimal("net_liquidation", "netLiquidationValue"),
      .decimal("realized", "realizedPnl"),
      .decimal("unrealized", "unrealizedPnl"),
      .decimal("stock_value", "stockMarketValue"),
      .decimal("option_value", "optionMarketValue"),
      .decimal("interest", "interest"),
      .decimal("dividends", "dividends"),
      .decimal("exchange_rate", "exchangeRate"),
    ],
    event: RowColumn.time("", "timestamp", unit: RowColumn.seconds).find
  )

  static let summary = RowTable(
    [
      place,
      account(),
      .text("key", "key"),
      .text("currency", "currency"),
      .decimal("amount", "monetaryValue", "value"),
      .text("value", "value"),
      .integer("severity", "severity"),
    ],
    event: RowColumn.time("", "timestamp", unit: RowColumn.seconds).find
  )

  static let status = RowTable([
    .given("kind", .string) { .text($0.status.kind) },
    RowColumn("state", .stringOrNull) { row, context in
      RowColumn.first(of: names(context.status.stateName), in: row, RowColumn.text)
    },
    .given("topic", .stringOrNull) { .text(orNull: $0.status.topic) },
    .given("target", .stringOrNull) { .text(orNull: $0.status.target) },
    .given("conid", .integerOrNull) { .integer(orNull: $0.conid) },
    .given("symbol", .stringOrNull) { .text(orNull: $0.symbol) },
    RowColumn("text", .stringOrNull) { row, context in
      RowColumn.first(of: names(context.status.textName), in: row, RowColumn.text)
    },
    .flag("connected", "connected"),
    .flag("authenticated", "authenticated"),
    .flag("established", "established"),
    .flag("competing", "competing"),
  ])

  private static func names(_ name: String?) -> [String] { name.map { [$0] } ?? [] }
}
