// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The orders and executions of the account, as the feeds and the REST side tell of them.
struct Blotter: Sendable {
  /// An order that has been filled.
  private struct Fill: Sendable {
    let number: Int
    let conid: Int
    let symbol: String
    let quantity: Int
    let price: String
    /// Unix milliseconds.
    let time: Int64
  }

  private var fills: [Fill] = []
  /// Whether the server has looked: its first answer about orders says that it has not.
  private var hasLooked = false

  /// Notes that an order was filled.
  ///
  /// - Returns: What `sor` and `str` say about it.
  mutating func fill(
    conid: Int,
    symbol: String,
    quantity: Int,
    price: String,
    time: Int64
  ) -> [String] {
    let fill = Fill(
      number: fills.count + 1,
      conid: conid,
      symbol: symbol,
      quantity: quantity,
      price: price,
      time: time
    )
    fills.append(fill)
    return [
      #"{"topic":"sor","args":[\#(order(fill))]}"#,
      Self.message(of: execution(fill, hasCommission: false)),
      Self.message(of: execution(fill, hasCommission: true)),
    ]
  }

  /// What `str` says when it is subscribed to: nothing, and then everything that has been, each
  /// execution twice, as recorded.
  var replay: [String] {
    [#"{"topic":"str","args":[]}"#]
      + fills.flatMap { fill in
        [false, true].map { Self.message(of: execution(fill, hasCommission: $0)) }
      }
  }

  /// The answer to `iserver/account/orders`.
  mutating func orders(isForced: Bool) -> String {
    let isReady = hasLooked && !isForced
    hasLooked = !isForced
    guard isReady else { return #"{"orders":[],"snapshot":false}"# }
    return #"{"orders":[\#(fills.map(order).joined(separator: ","))],"snapshot":true}"#
  }

  /// The answer to `iserver/account/trades`.
  var executions: String {
    "[\(fills.map { execution($0, hasCommission: true) }.joined(separator: ","))]"
  }

  private static func message(of execution: String) -> String {
    #"{"topic":"str","args":[\#(execution)]}"#
  }

  private func order(_ fill: Fill) -> String {
    #"{"acct":"DU1234567","conidex":"\#(fill.conid)","conid":\#(fill.conid),"account":"DU1234567","#
      + #""orderId":\#(912_091_000 + fill.number),"cashCcy":"USD","sizeAndFills":"\#(fill.quantity)","#
      + #""orderDesc":"Bought \#(fill.quantity) Limit \#(fill.price), Day","ticker":\#(fill.symbol.asJSON),"#
      + #""secType":"STK","remainingQuantity":0.0,"filledQuantity":\#(fill.quantity).0,"#
      + #""totalSize":\#(fill.quantity).0,"status":"Filled","order_ccp_status":"Filled","#
      + #""avgPrice":"\#(fill.price)","orderType":"Limit","price":"\#(fill.price)","#
      + #""timeInForce":"CLOSE","lastExecutionTime_r":\#(fill.time),"side":"BUY"}"#
  }

  private func execution(_ fill: Fill, hasCommission: Bool) -> String {
    #"{"execution_id":"0001390e.69f21453.\#(fill.number).01","symbol":\#(fill.symbol.asJSON),"#
      + #""supports_tax_opt":"1","side":"B","trade_time_r":\#(fill.time),"size":\#(fill.quantity).0,"#
      + #""price":"\#(fill.price)","exchange":"NASDAQ","#
      + (hasCommission ? #""commission":"1.0","# : "")
      + #""account":"DU1234567","accountCode":"DU1234567","sec_type":"STK","conid":\#(fill.conid),"#
      + #""conidEx":"\#(fill.conid)","order_id":\#(912_091_000 + fill.number)}"#
  }
}
