// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR

// The columns of ch=bar, ch=history, ch=book, ch=order and ch=trade (protocol reference 4.10 to
// 4.13).
extension RowTable {
  static let history = RowTable(instrument + bars)

  static let bar = RowTable(
    instrument + bars + [
      source,
      .given("gap_id", .stringOrNull) { .text(orNull: $0.gapID) },
    ]
  )

  private static let bars: [RowColumn] = [
    .time("ts", "t", unit: RowColumn.milliseconds),
    .decimal("open", "o"),
    .decimal("high", "h"),
    .decimal("low", "l"),
    .decimal("close", "c"),
    RowColumn("volume", .decimalOrNull) { row, context in
      let bar = History.Bar(row: row, volumeFactor: context.bars.volumeFactor)
      return RowColumn.Found(
        cell: .decimal(orNull: bar.volume),
        used: bar.volume == nil ? [] : ["v"]
      )
    },
    .given("bar_seconds", .integerOrNull) { .integer(orNull: $0.bars.seconds) },
    .given("server_id", .stringOrNull) { .text(orNull: $0.bars.serverID) },
    .given("answer", .stringOrNull) { .text(orNull: $0.answer) },
  ]

  static let book = RowTable(
    instrument + [
      .given("account", .stringOrNull) { .text(orNull: $0.account) },
      .given("exchange", .stringOrNull) { .text(orNull: $0.exchange) },
      .integer("row", "row"),
      RowColumn("is_last", .bool) { row, _ in
        let focus = row.integer("focus")
        return RowColumn.Found(
          cell: .flag(PriceLadder.Line(row: row).isLastTrade),
          used: focus == 0 || focus == 1 ? ["focus"] : []
        )
      },
      RowColumn("price", .decimalOrNull) { row, _ in
        let line = PriceLadder.Line(row: row)
        // `100 @ 189.60`: what is kept elsewhere is all of it or nothing.
        let isWhole = line.price != nil && (line.tradeSize != nil || row.decimal("price") != nil)
        return RowColumn.Found(
          cell: .decimal(orNull: line.price),
          used: isWhole ? ["price"] : []
        )
      },
      RowColumn("trade_size", .decimalOrNull) { row, _ in
        RowColumn.Found(cell: .decimal(orNull: PriceLadder.Line(row: row).tradeSize))
      },
      .decimal("bid_size", "bid"),
      .decimal("ask_size", "ask"),
    ]
  )

  static let order = RowTable(
    instrument(named: "ticker") + [
      source,
      account("acct", "account"),
      .integer("order_id", "orderId"),
      .text("side", "side"),
      .text("status", "status"),
      .text("ccp_status", "order_ccp_status"),
      .text("order_type", "orderType"),
      .text("tif", "timeInForce"),
      .decimal("price", "price"),
      .decimal("avg_price", "avgPrice"),
      .decimal("total_size", "totalSize"),
      .decimal("filled", "filledQuantity"),
      .decimal("remaining", "remainingQuantity"),
      .text("currency", "cashCcy"),
      .flag("outside_rth", "outsideRTH"),
      .text("sec_type", "secType"),
      .text("listing_exchange", "listingExchange"),
      .text("order_ref", "order_ref"),
      .text("description", "orderDesc"),
    ],
    event: RowColumn.time("", "lastExecutionTime_r", unit: RowColumn.milliseconds).find
  )

  static let trade = RowTable(
    instrument(named: "symbol") + [
      source,
      .given("duplicate", .bool) { .flag($0.isDuplicate) },
      account("account", "accountCode"),
      .text("execution_id", "execution_id"),
      .integer("order_id", "order_id"),
      .text("side", "side"),
      .decimal("size", "size"),
      .decimal("price", "price"),
      .text("exchange", "exchange"),
      .decimal("commission", "commission"),
      .decimal("net_amount", "net_amount"),
      .decimal("position", "position"),
      .text("sec_type", "sec_type"),
      .text("listing_exchange", "listing_exchange"),
      .text("order_ref", "order_ref"),
      .text("description", "order_description"),
    ],
    event: RowColumn.time("", "trade_time_r", unit: RowColumn.milliseconds).find
  )
}
