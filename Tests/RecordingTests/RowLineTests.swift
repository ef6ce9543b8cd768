// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON
import Testing

@testable import Recording

/// The channels whose rows are objects of the server's, by the samples of the protocol reference.
@Suite struct RowLineTests {
  let run = RunID(milliseconds: 1, random: 1)

  private func lines(
    _ channel: Channel,
    keepsAccounts: Bool = false,
    layout: LineLayout = LineLayout(),
    on storage: MemoryStorage = MemoryStorage(),
    _ events: (inout EventReplayer, () -> Stamp) -> Void
  ) throws -> [String] {
    var record = RunRecord(run: run, start: 1, tool: "test")
    record.layout = layout
    let writer = try RecordingWriter(
      storage: storage,
      channels: [channel],
      keepsAccounts: keepsAccounts,
      run: record
    )
    try writer.learn([Instrument(conid: 265_598, symbol: "AAPL")], at: 0)
    var replayer = EventReplayer()
    var seq: UInt64 = 0
    events(&replayer) {
      seq += 1
      return Stamp(seq: seq, realtime: 1_000_000 * Int64(seq), monotonic: Int64(seq))
    }
    if let batch = replayer.take() { writer.append(batch) }
    try writer.write()
    return storage.lines(under: "ch=\(channel.rawValue)")
  }

  private func lines(
    _ channel: Channel,
    keepsAccounts: Bool = false,
    layout: LineLayout = LineLayout(),
    on storage: MemoryStorage = MemoryStorage(),
    of messages: String...
  ) throws -> [String] {
    try lines(channel, keepsAccounts: keepsAccounts, layout: layout, on: storage) {
      replayer,
      stamp in
      for message in messages {
        Array(message.utf8).withUnsafeBytes {
          replayer.append($0, direction: .inbound, kind: .binary, stamp: stamp())
        }
      }
    }
  }

  private func head(_ seq: Int, event: String = "null") -> String {
    #"{"v":1,"run":"\#(run)","seq":\#(seq),"ts_recv":\#(seq)000000,"ts_event":\#(event),"#
  }

  @Test func ordersAreAsTheyCame() throws {
    let lines = try lines(
      .order,
      of: #"{"topic":"sor","args":[{"acct":"U1","conidex":"265598","conid":265598,"account":"U1","#
        + #""orderId":912091175,"cashCcy":"USD","sizeAndFills":"0/1","orderDesc":"Buy 1 AAPL","#
        + #""ticker":"AAPL","secType":"STK","listingExchange":"NASDAQ.NMS","#
        + #""remainingQuantity":1.0,"filledQuantity":0.0,"totalSize":1.0,"status":"Inactive","#
        + #""order_ccp_status":"Pending Submit","outsideRTH":false,"orderType":"Limit","#
        + #""price":"1.00","timeInForce":"CLOSE","lastExecutionTime_r":1777552533000,"#
        + #""side":"BUY"}]}"#,
      #"{"topic":"sor","args":[{"acct":"U1","orderId":1777439171105,"price":"","avgPrice":"12.2K"}"#
        + #",{"orderId":"x","status":null}]}"#
    )
    #expect(
      lines == [
        head(1, event: "1777552533000000000")
          + #""conid":265598,"symbol":"AAPL","snapshot":false,"i":0,"source":"stream","#
          + #""account":"acct-1","order_id":912091175,"side":"BUY","status":"Inactive","#
          + #""ccp_status":"Pending Submit","order_type":"Limit","tif":"CLOSE","price":1.00,"#
          + #""avg_price":null,"total_size":1.0,"filled":0.0,"remaining":1.0,"currency":"USD","#
          + #""outside_rth":false,"sec_type":"STK","listing_exchange":"NASDAQ.NMS","#
          + #""order_ref":null,"description":"Buy 1 AAPL","#
          + #""fields":"{\"conidex\":\"265598\",\"sizeAndFills\":\"0/1\"}"}"#,
        head(2)
          + #""conid":null,"symbol":null,"snapshot":false,"i":0,"source":"stream","#
          + #""account":"acct-1","order_id":1777439171105,"side":null,"status":null,"#
          + #""ccp_status":null,"order_type":null,"tif":null,"price":null,"avg_price":12200.0,"#
          + #""total_size":null,"filled":null,"remaining":null,"currency":null,"#
          + #""outside_rth":null,"sec_type":null,"listing_exchange":null,"order_ref":null,"#
          + #""description":null,"fields":"{\"price\":\"\",\"avgPrice\":\"12.2K\"}"}"#,
        head(2)
          + #""conid":null,"symbol":null,"snapshot":false,"i":1,"source":"stream","#
          + #""account":null,"order_id":null,"side":null,"status":null,"ccp_status":null,"#
          + #""order_type":null,"tif":null,"price":null,"avg_price":null,"total_size":null,"#
          + #""filled":null,"remaining":null,"currency":null,"outside_rth":null,"#
          + #""sec_type":null,"listing_exchange":null,"order_ref":null,"description":null,"#
          + #""fields":"{\"orderId\":\"x\"}"}"#,
      ]
    )
  }

  @Test func executionsAreMarkedWhenTheyComeAgain() throws {
    let first =
      #"{"topic":"str","args":[{"execution_id":"0001.01","symbol":"LRCX","side":"B","#
      + #""trade_time_r":1777472974000,"size":2.0,"price":"248.60","exchange":"NASDAQ","#
      + #""net_amount":497.2,"account":"U1","accountCode":"U1","conid":732440574,"#
      + #""position":"2","order_id":96335105,"submitter":"user1"}]}"#
    let again = first.replacing(#""net_amount""#, with: #""commission":"1","net_amount""#)
    let lines = try lines(.trade, of: #"{"topic":"str","args":[]}"#, first, again)
    let row =
      #""conid":732440574,"symbol":"LRCX","snapshot":false,"i":0,"source":"stream","#
      + #""duplicate":false,"account":"acct-1","execution_id":"0001.01","order_id":96335105,"#
      + #""side":"B","size":2.0,"price":248.60,"exchange":"NASDAQ","commission":null,"#
      + #""net_amount":497.2,"position":2.0,"sec_type":null,"listing_exchange":null,"#
      + #""order_ref":null,"description":null,"fields":"{\"submitter\":\"<redacted>\"}"}"#
    let late = row.replacing(#""duplicate":false"#, with: #""duplicate":true"#)
      .replacing(#""commission":null"#, with: #""commission":1.0"#)
    let event = "1777472974000000000"
    #expect(lines == [head(2, event: event) + row, head(3, event: event) + late])
  }

  @Test func answersByRESTSayThatTheyAre() throws {
    let answers: [(Channel, FrameKind, String)] = [
      (.order, .poll, #"{"orders":[{"orderId":1},{"orderId":2}],"snapshot":true}"#),
      (.trade, .resync, #"[{"execution_id":"a"},{"execution_id":"a"}]"#),
    ]
    for (channel, kind, text) in answers {
      let found = try lines(channel) { replayer, stamp in
        Array(text.utf8).withUnsafeBytes {
          replayer.append($0, direction: .inbound, kind: kind, stamp: stamp())
        }
      }
      let rows = try found.map { try JSONValue(parsing: Array($0.utf8)) }
      #expect(rows.map { $0["i"]?.int } == [0, 1])
      #expect(rows.allSatisfy { $0["source"]?.string == "\(kind)" })
      #expect(rows.allSatisfy { $0["snapshot"]?.bool == true })
      if channel == .trade { #expect(rows.map { $0["duplicate"]?.bool } == [false, true]) }
    }
  }

  @Test func figuresOfAccounts() throws {
    #expect(
      try lines(
        .pnl,
        of: #"{"topic":"spl","args":{"DU1.Core":{"rowType":1,"dpl":-58.28,"nl":1020000.0,"#
          + #""upl":4600.0,"el":1010000.0,"uel":1005353.88,"mv":37910.0}}}"#
      ) == [
        head(1)
          + #""i":0,"account":"acct-1","model":"Core","daily":-58.28,"unrealized":4600.0,"#
          + #""net_liquidation":1020000.0,"market_value":37910.0,"excess_liquidity":1010000.0,"#
          + #""excess_liquidity_exact":1005353.88,"fields":"{\"rowType\":1}"}"#
      ]
    )
    #expect(
      try lines(
        .summary,
        of: #"{"result":[{"key":"ExcessLiquidity-S","currency":"USD","monetaryValue":1005353.88,"#
          + #""severity":0,"timestamp":1783031080},{"key":"Cushion","value":"1","severity":0,"#
          + #""timestamp":1783031080}],"topic":"ssd+DU1"}"#
      ) == [
        head(1, event: "1783031080000000000")
          + #""i":0,"account":"acct-1","key":"ExcessLiquidity-S","currency":"USD","#
          + #""amount":1005353.88,"value":null,"severity":0,"fields":"{}"}"#,
        head(1, event: "1783031080000000000")
          + #""i":1,"account":"acct-1","key":"Cushion","currency":null,"amount":1.0,"value":"1","#
          + #""severity":0,"fields":"{}"}"#,
      ]
    )
    #expect(
      try lines(
        .ledger,
        keepsAccounts: true,
        of: #"{"result":[{"acctCode":"DU1","cashbalance":976920.88,"key":"LedgerListBASE","#
          + #""dividends":0.0,"exchangeRate":1.0,"netLiquidationValue":1017353.16,"#
          + #""realizedPnl":0.0,"unrealizedPnl":4598.91,"secondKey":"BASE","#
          + #""settledCash":976920.88,"stockMarketValue":37910.67,"interest":2521.61,"#
          + #""timestamp":1783031080},{"key":"LedgerListUSD","timestamp":1783031080}],"#
          + #""topic":"sld+DU1"}"#
      ) == [
        head(1, event: "1783031080000000000")
          + #""i":0,"account":"DU1","key":"LedgerListBASE","currency":"BASE","cash":976920.88,"#
          + #""settled_cash":976920.88,"net_liquidation":1017353.16,"realized":0.0,"#
          + #""unrealized":4598.91,"stock_value":37910.67,"option_value":null,"#
          + #""interest":2521.61,"dividends":0.0,"exchange_rate":1.0,"fields":"{}"}"#,
        head(1, event: "1783031080000000000")
          + #""i":1,"account":"DU1","key":"LedgerListUSD","currency":"USD","cash":null,"#
          + #""settled_cash":null,"net_liquidation":null,"realized":null,"unrealized":null,"#
          + #""stock_value":null,"option_value":null,"interest":null,"dividends":null,"#
          + #""exchange_rate":null,"fields":"{}"}"#,
      ]
    )
  }

  @Test func booksAndBars() throws {
    #expect(
      try lines(
        .book,
        of: #"{"topic":"sbd+DU1+265598+ARCA","data":[{"row":0,"focus":0,"price":"189.61"},"#
          + #"{"row":1,"focus":1,"price":"100 @ 189.60"},{"row":2,"focus":2,"bid":"1,300"}]}"#
      )
        == [
          #""i":0,"account":"acct-1","exchange":"ARCA","row":0,"is_last":false,"price":189.61,"#
            + #""trade_size":null,"bid_size":null,"ask_size":null,"fields":"{}"}"#,
          #""i":1,"account":"acct-1","exchange":"ARCA","row":1,"is_last":true,"price":189.60,"#
            + #""trade_size":100.0,"bid_size":null,"ask_size":null,"fields":"{}"}"#,
          #""i":2,"account":"acct-1","exchange":"ARCA","row":2,"is_last":false,"price":null,"#
            + #""trade_size":null,"bid_size":1300.0,"ask_size":null,"#
            + #""fields":"{\"focus\":2}"}"#,
        ].map { head(1) + #""conid":265598,"symbol":"AAPL","snapshot":false,"# + $0 }
    )
    #expect(
      try lines(
        .history,
        of: #"{"serverId":"20962328","symbol":"AAPL","barLength":86400,"volumeFactor":40,"#
          + #""data":[{"o":307.58,"c":310,"h":311.49,"l":305.74,"v":700773.675,"#
          + #""t":1787059800000},{"c":316.83,"t":1787146200000,"x":1}],"points":1,"#
          + #""topic":"smh+265598"}"#
      )
        == [
          #""i":0,"ts":1787059800000000000,"open":307.58,"high":311.49,"low":305.74,"#
            + #""close":310.0,"volume":28030947.000,"bar_seconds":86400,"server_id":"20962328","#
            + #""answer":"{\"symbol\":\"AAPL\",\"barLength\":86400,\"volumeFactor\":40,"#
            + #"\"points\":1}","fields":"{}"}"#,
          #""i":1,"ts":1787146200000000000,"open":null,"high":null,"low":null,"#
            + #""close":316.83,"volume":null,"bar_seconds":86400,"server_id":"20962328","#
            + #""answer":null,"fields":"{\"x\":1}"}"#,
        ].map { head(1) + #""conid":265598,"symbol":"AAPL","snapshot":true,"# + $0 }
    )
  }

  @Test func whatBecameOfTheSession() throws {
    var session = SessionState()
    session.phase = .ready
    session.reason = "logged in"
    session.authenticated = true
    let lost = ConnectionState.lost(.disconnect, description: "end of stream", retryAfter: 5)
    let found = try lines(.status) { replayer, stamp in
      replayer.append(.connection(lost), stamp: stamp())
      replayer.append(.session(session), stamp: stamp())
      replayer.append(
        .subscription(
          SubscriptionKey(topic: .accountSummary, target: "DU1", conid: nil, number: 1),
          .active
        ),
        stamp: stamp()
      )
      replayer.append(
        .subscription(
          SubscriptionKey(topic: .marketData, target: "265598", conid: 265_598, number: 2),
          .failed("no data")
        ),
        stamp: stamp()
      )
      for text in [
        #"{"topic":"system","success":"user1","isFT":false}"#,
        #"{"topic":"system","hb":1}"#,
        #"{"topic":"tic","alive":true}"#,
        #"{"topic":"sts","args":{"competing":true,"message":"x","serverName":"J"}}"#,
        #"{"error":"no","code":7,"topic":"smd+265598"}"#,
        #"{"message":"waiting for session"}"#,
        #"{"result":"unsubscribed from summary"}"#,
      ] {
        Array(text.utf8).withUnsafeBytes {
          replayer.append($0, direction: .inbound, kind: .binary, stamp: stamp())
        }
      }
    }
    let none = #""connected":null,"authenticated":null,"established":null,"competing":null,"#
    let nobody = #""topic":null,"target":null,"conid":null,"symbol":null,"#
    #expect(
      found == [
        head(1) + #""kind":"connection","state":"lost","# + nobody + #""text":"end of stream","#
          + none + #""fields":"{\"reason\":\"disconnect\",\"retry_after_ns\":5}"}"#,
        head(2) + #""kind":"session","state":"ready","# + nobody + #""text":"logged in","#
          + #""connected":null,"authenticated":true,"established":null,"competing":null,"#
          + #""fields":"{\"failure\":\"\",\"waiting_for_session\":false}"}"#,
        head(3) + #""kind":"subscription","state":"active","topic":"ssd","target":"acct-1","#
          + #""conid":null,"symbol":null,"text":null,"# + none + #""fields":"{\"number\":1}"}"#,
        head(4) + #""kind":"subscription","state":"failed","topic":"smd","target":"265598","#
          + #""conid":265598,"symbol":"AAPL","text":"no data","# + none
          + #""fields":"{\"number\":2}"}"#,
        head(5) + #""kind":"system","state":null,"# + nobody + #""text":null,"# + none
          + #""fields":"{\"success\":\"<redacted>\",\"isFT\":false}"}"#,
        head(8) + #""kind":"sts","state":null,"# + nobody + #""text":"x","connected":null,"#
          + #""authenticated":null,"established":null,"competing":true,"#
          + #""fields":"{\"serverName\":\"J\"}"}"#,
        head(9) + #""kind":"error","state":null,"topic":"smd","target":"265598","#
          + #""conid":265598,"symbol":"AAPL","text":"no","# + none + #""fields":"{\"code\":7}"}"#,
        head(10) + #""kind":"waiting_for_session","state":null,"# + nobody
          + #""text":"waiting for session","# + none + #""fields":"{}"}"#,
        head(11) + #""kind":"unsubscribed","state":null,"# + nobody
          + #""text":"unsubscribed from summary","# + none + #""fields":"{}"}"#,
      ]
    )
  }

  @Test func barsOfABackfillNameTheirGap() throws {
    let start = LineStart(run: run, time: .nanoseconds)
    let rows = RowChannels([.bar], start)
    let sheets = MemorySheets()
    let answer = Array(#"{"data":[{"o":1,"v":2,"t":5}],"volumeFactor":100}"#.utf8)
    var context = RowContext()
    (context.conid, context.symbol, context.gapID) = (1, "S", "gap-1")
    let record = EventRecord.own(Stamp(seq: 9, realtime: 9_000_000, monotonic: 0))
    let message = RowMessage(backfill: try JSONValue(parsing: answer), context)
    _ = rows.append(message, record, to: sheets)
    #expect(
      sheets.lines["ch=bar/date=1970-01-01"] == [
        head(9) + #""conid":1,"symbol":"S","snapshot":true,"i":0,"ts":5000000,"open":1.0,"#
          + #""high":null,"low":null,"close":null,"volume":200.0,"bar_seconds":null,"#
          + #""server_id":null,"answer":"{\"volumeFactor\":100}","source":"backfill","#
          + #""gap_id":"gap-1","fields":"{}"}"#
      ]
    )
  }

  @Test func timesAsTextAndFoldersByDateOnly() throws {
    let quote = #"{"topic":"smd+265598","conid":265598,"_updated":1,"84":"1.5","server_id":"q1"}"#
    let layout = LineLayout(partition: .date, time: .iso)
    let storage = MemoryStorage()
    let lines = try lines(.quote, layout: layout, on: storage, of: quote)
    #expect(lines.count == 1)
    #expect(
      lines[0].contains(
        #""ts_recv":"1970-01-01T00:00:00.001000000Z","ts_event":"1970-01-01T00:00:00.001000000Z","#
      )
    )
    #expect(storage.paths.contains { $0.hasPrefix("ch=quote/date=1970-01-01/part-") })
    #expect(Self.fault(lines[0], .quote, .iso) == nil)
    #expect(Self.fault(lines[0], .quote, .nanoseconds) != nil)
    #expect(Array(lines[0].utf8).withUnsafeBytes { LineHead($0, of: run)?.realtime } == 1_000_000)
  }

  /// A directory has times of one format, or no reader could load it.
  @Test func anotherFormatOfTimesIsRefused() throws {
    let quote = #"{"topic":"smd+265598","conid":265598,"84":"1.5","server_id":"q1"}"#
    let storage = MemoryStorage()
    // What a run with times as integers has left; its lock is gone when this returns.
    func recordBefore() throws {
      let writer = try RecordingWriter(
        storage: storage,
        channels: [.raw],
        keepsAccounts: false,
        run: RunRecord(run: RunID(milliseconds: 0, random: 1), start: 0, tool: "test")
      )
      var source = EventSource()
      source.message(quote, topic: .marketData)
      writer.append(try source.take())
      try writer.end(at: 1)
    }
    try recordBefore()
    let error = #expect(throws: StorageError.self) {
      _ = try lines(.raw, layout: LineLayout(time: .iso), on: storage, of: quote)
    }
    #expect(error?.description.contains("--time ns") == true)
  }

  /// Whatever the row encoders write is what `verify` expects.
  @Test(arguments: Channel.allCases)
  func everyChannelHasColumns(_ channel: Channel) throws {
    let names = channel.columns.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.prefix(5) == ["v", "run", "seq", "ts_recv", "ts_event"])
    let samples: [Channel: String] = [
      .history: #"{"topic":"smh+1","data":[{"t":1}]}"#,
      .book: #"{"topic":"sbd+U1+1","data":[{"row":0,"price":"1 @ 2"}]}"#,
      .order: #"{"topic":"sor","args":[{"orderId":1}]}"#,
      .trade: #"{"topic":"str","args":[{"execution_id":"1"}]}"#,
      .pnl: #"{"topic":"spl","args":{"U1":{"dpl":1}}}"#,
      .ledger: #"{"topic":"sld+U1","result":[{"key":"LedgerListUSD"}]}"#,
      .summary: #"{"topic":"ssd+U1","result":[{"key":"A"}]}"#,
      .status: #"{"topic":"sts","args":{"competing":true}}"#,
    ]
    guard let sample = samples[channel] else { return }
    let found = try lines(channel, of: sample)
    #expect(found.count == 1)
    for line in found { #expect(Self.fault(line, channel, .nanoseconds) == nil) }
  }

  private static func fault(_ line: String, _ channel: Channel, _ time: TimeFormat) -> String? {
    Array(line.utf8).withUnsafeBytes { bytes in
      switch Columns(of: channel, time: time).fault(in: bytes) {
      case .columns(let words), .type(let words): words
      case nil: nil
      }
    }
  }
}
