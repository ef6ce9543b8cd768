// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// The user, the account and the server of the simulation, as the messages show them.
struct Account: Sendable {
  let userName = "simulated1"
  let accountID = "DU1234567"
  let serverName = "JifZ11074"
  let serverVersion = "Build 10.45.1a, Apr 22, 2026 1:39:05 PM"
  let hardwareAddress = "06:59:AE:5B:4F:D1"
  let hardwareInfo = "30df22d8|06:59:AE:5B:4F:D1"

  /// The body of `iserver/accounts` and the arguments of `act`.
  var accounts: String {
    #"{"accounts":["\#(accountID)"],"acctProps":{"\#(accountID)":{"hasChildAccounts":false,"#
      + #""supportsCashQty":true,"liteUnderPro":false,"noFXConv":false,"isProp":false,"#
      + #""supportsFractions":true,"allowCustomerTime":false,"autoFx":false}},"#
      + #""aliases":{"\#(accountID)":"\#(accountID)"},"allowFeatures":{"showGFIS":true,"#
      + #""showEUCostReport":false,"allowEventContract":true,"allowFXConv":true,"#
      + #""allowFinancialLens":false,"allowMTA":true,"allowTypeAhead":true,"#
      + #""allowEventTrading":true,"snapshotRefreshTimeout":30,"liteUser":false,"#
      + #""showWebNews":true,"research":true,"debugPnl":true,"showTaxOpt":true,"#
      + #""showImpactDashboard":true,"allowDynAccount":false,"allowCrypto":false,"allowFA":false,"#
      + #""allowLiteUnderPro":false,"allowedAssetTypes":"STK,CFD,OPT,FOP,WAR,FUT,BAG,PDC,CASH,IND,"#
      + #"BOND,BILL,FUND,SLB,News,CMDTY,IOPT,ICU,ICS,PHYSS,CRYPTO","#
      + #""restrictTradeSubscription":false,"showUkUserLabels":false,"sideBySide":true},"#
      + #""chartPeriods":{"STK":["*"],"CFD":["*"],"OPT":["2h","1d","2d","1w","1m"],"#
      + #""FOP":["2h","1d","2d","1w","1m"],"WAR":["*"],"IOPT":["*"],"FUT":["*"],"CASH":["*"],"#
      + #""IND":["*"],"BOND":["*"],"FUND":["*"],"CMDTY":["*"],"PHYSS":["*"],"CRYPTO":["*"]},"#
      + #""groups":[],"profiles":[],"selectedAccount":"\#(accountID)","#
      + #""serverInfo":\#(serverInfo),"sessionId":"69f03732.00000af0","isFT":false,"isPaper":true}"#
  }

  /// Name and build of the server, an object.
  var serverInfo: String {
    #"{"serverName":"\#(serverName)","serverVersion":"\#(serverVersion)"}"#
  }

  /// The first message of a socket.
  var welcome: String {
    #"{"topic":"system","success":"\#(userName)","isFT":false,"isPaper":true}"#
  }

  /// The rows of a feed of the account, as its first message has them.
  func firstMessage(topic: String, target: String, seconds: Int64) -> String? {
    switch topic {
    case "spl":
      #"{"topic":"spl","args":{"\#(accountID).Core":{"rowType":1,"dpl":-58.28,"nl":1020000.0,"#
        + #""upl":4600.0,"el":1010000.0,"uel":1005353.88,"mv":37910.0}}}"#
    case "ssd":
      #"{"result":[{"key":"ExcessLiquidity-S","currency":"USD","monetaryValue":1005353.88,"#
        + #""severity":0,"timestamp":\#(seconds)},{"key":"Cushion","value":"1","severity":0,"#
        + #""timestamp":\#(seconds)}],"topic":"ssd+\#(target)"}"#
    case "sld":
      #"{"result":[{"acctCode":"\#(accountID)","cashbalance":976920.88,"#
        + #""cashBalanceFXSegment":0.0,"key":"LedgerListBASE","dividends":0.0,"exchangeRate":1.0,"#
        + #""netLiquidationValue":1017353.16,"realizedPnl":0.0,"unrealizedPnl":4598.91,"#
        + #""secondKey":"BASE","settledCash":976920.88,"severity":0,"stockMarketValue":37910.67,"#
        + #""interest":2521.61,"timestamp":\#(seconds)},{"key":"LedgerListUSD","#
        + #""timestamp":\#(seconds)}],"topic":"sld+\#(target)"}"#
    case "usd": #"{"result":"unsubscribed from summary"}"#
    case "uld": #"{"result":"unsubscribed from ledger"}"#
    // `sor` is not confirmed when there are no orders, and the other ends never are.
    default: nil
    }
  }

  /// What has changed in a feed of the account since its first message.
  func change(topic: String, target: String, milliseconds: Int64) -> String? {
    let seconds = milliseconds / 1_000
    var random = SplitMix64(seed: UInt64(bitPattern: seconds))
    let profit = random.next(in: -9_999...9_999)
    let daily = FieldValue.javaDouble(profit)
    let unrealized = FieldValue.javaDouble(460_000 + profit)
    switch topic {
    case "spl":
      return #"{"topic":"spl","args":{"\#(accountID).Core":{"dpl":\#(daily),"#
        + #""upl":\#(unrealized)}}}"#
    case "ssd":
      let liquidity = FieldValue.javaDouble(100_535_388 + profit)
      return #"{"result":[{"key":"ExcessLiquidity-S","currency":"USD","#
        + #""monetaryValue":\#(liquidity),"severity":0,"timestamp":\#(seconds)}],"#
        + #""topic":"ssd+\#(target)"}"#
    case "sld":
      return #"{"result":[{"acctCode":"\#(accountID)","key":"LedgerListBASE","#
        + #""unrealizedPnl":\#(unrealized),"secondKey":"BASE","severity":0,"#
        + #""timestamp":\#(seconds)},{"key":"LedgerListUSD","timestamp":\#(seconds)}],"#
        + #""topic":"sld+\#(target)"}"#
    default: return nil
    }
  }
}
