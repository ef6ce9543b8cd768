// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import IBKR
import JSON
import OAuth1a

/// Every typed value of a message in one line, accounts included, to be compared as a whole.
///
/// What the message does not say is left out.
struct Portrait: CustomStringConvertible {
  private(set) var description: String

  init(_ content: MessageContent?) {
    guard let content else {
      description = "nothing"
      return
    }
    description = String(
      Self.words(content).joined(separator: " ").flatMap { $0 == "\n" ? "\\n" : "\($0)" }
    )
  }

  private static func words(_ content: MessageContent) -> [String] {
    switch content {
    case .marketData(let value): ["quote"] + quote(value)
    case .history(let value): ["history"] + history(value)
    case .priceLadder(let value): ["ladder"] + ladder(value)
    case .orders(let value): ["orders"] + value.updates.map { group(order($0)) }
    case .trades(let value): ["trades"] + value.executions.map { group(execution($0)) }
    case .profitAndLoss(let value): ["pnl"] + value.entries.map { group(entry($0)) }
    case .accountSummary(let value):
      ["summary"] + say("account", value.account) + value.values.map { group(figure($0)) }
    case .accountLedger(let value):
      ["ledger"] + say("account", value.account) + value.balances.map { group(balance($0)) }
    case .system(let value):
      ["system"] + say("greeting", value.isGreeting) + say("user", value.user)
        + say("paper", value.isPaper) + say("heartbeat", value.heartbeat)
    case .status(let value): ["status"] + status(value)
    case .accounts(let value): ["accounts"] + accounts(value)
    case .notifications(let value): ["notes"] + value.items.map { group(note($0)) }
    case .bulletins(let value):
      ["bulletins"]
        + value.items.map {
          group(say("id", $0.id) + say("text", $0.text) + say("exchanges", list($0.exchanges)))
        }
    case .keepAlive(let value):
      ["alive"] + say("is", value.isAlive) + say("session", value.session)
        + say("accessed", value.lastAccessed)
    case .waitingForSession: ["waiting"]
    case .unsubscribed(let value): ["unsubscribed", "\(value)"]
    case .error(let value):
      ["error"] + say("text", value.text) + say("code", value.code) + say("topic", value.topic)
    case .unrecognised(let bytes): ["unrecognised", "\(bytes.count)"]
    }
  }

  private static func say(_ name: String, _ value: (some CustomStringConvertible)?) -> [String] {
    value.map { ["\(name)=\($0)"] } ?? []
  }

  private static func say(_ name: String, _ secret: Secret?) -> [String] {
    say(name, secret?.exposedText)
  }

  private static func list(_ texts: [String]) -> String? {
    texts.isEmpty ? nil : texts.joined(separator: ",")
  }

  private static func group(_ words: [String]) -> String {
    "(\(words.joined(separator: " ")))"
  }

  private static func quote(_ quote: MarketData) -> [String] {
    say("conid", quote.conid) + say("target", quote.target)
      + say("updated", quote.message.tsEvent) + say("exact", quote[named: "87_raw"]?.decimal)
      + quote.fields.map { field, value in
        var text = "\(field.id)="
        switch value.mark {
        case .previousClose: text += "close:"
        case .halted: text += "halted:"
        case nil: break
        }
        if value.isNone { return text + "none" }
        return text + (value.decimal.map { "\($0)" } ?? "'\(value.text)'")
      }
  }

  private static func history(_ history: History) -> [String] {
    say("id", history.serverID) + say("conid", history.conid) + say("symbol", history.symbol)
      + say("company", history.companyName) + say("bar", history.barSeconds)
      + say("period", history.period) + say("start", history.start) + say("high", history.high)
      + say("low", history.low) + say("factor", history.priceFactor)
      + say("availability", history.availability) + say("delay", history.delay)
      + say("outside", history.outsideRegularHours)
      + history.bars.map { bar in
        group(
          say("t", bar.time) + say("o", bar.open) + say("h", bar.high) + say("l", bar.low)
            + say("c", bar.close) + say("v", bar.volume)
        )
      }
  }

  private static func ladder(_ ladder: PriceLadder) -> [String] {
    say("account", ladder.account) + say("conid", ladder.conid)
      + say("exchange", ladder.exchange)
      + ladder.lines.map { line in
        group(
          say("line", line.index) + say("price", line.price)
            + say("last", line.isLastTrade ? true : nil) + say("size", line.tradeSize)
            + say("bid", line.bidSize) + say("ask", line.askSize)
        )
      }
  }

  private static func order(_ order: OrderUpdate) -> [String] {
    let who =
      say("id", order.orderID) + say("account", order.account) + say("conid", order.conid)
      + say("conidEx", order.conidEx) + say("symbol", order.symbol)
      + say("type", order.securityType) + say("listed", order.listingExchange)
      + say("company", order.companyName)
    let what =
      say("side", order.side.map { "\($0)" }) + say("status", order.status)
      + say("backend", order.backendStatus) + say("order", order.orderType)
      + say("summary", order.summary) + say("price", order.price)
      + say("average", order.averagePrice) + say("total", order.totalSize)
      + say("filled", order.filledQuantity) + say("remaining", order.remainingQuantity)
    return who + what + say("currency", order.currency) + say("tif", order.timeInForce)
      + say("outside", order.outsideRegularHours) + say("reference", order.reference)
      + say("time", order.lastExecution)
  }

  private static func execution(_ execution: Execution) -> [String] {
    let who =
      say("id", execution.id) + say("account", execution.account)
      + say("conid", execution.conid) + say("conidEx", execution.conidEx)
      + say("symbol", execution.symbol) + say("type", execution.securityType)
      + say("listed", execution.listingExchange) + say("company", execution.companyName)
    let what =
      say("side", execution.side.map { "\($0)" }) + say("size", execution.size)
      + say("price", execution.price) + say("exchange", execution.exchange)
      + say("commission", execution.commission) + say("net", execution.netAmount)
      + say("position", execution.position)
    return who + what + say("order", execution.orderID) + say("reference", execution.reference)
      + say("submitter", execution.submitter) + say("summary", execution.summary)
      + say("time", execution.time)
  }

  private static func entry(_ entry: ProfitAndLoss.Entry) -> [String] {
    say("account", entry.account) + say("model", entry.model) + say("daily", entry.daily)
      + say("net", entry.netLiquidation) + say("unrealized", entry.unrealized)
      + say("excess", entry.excessLiquidity) + say("exact", entry.exactExcessLiquidity)
      + say("value", entry.marketValue)
  }

  private static func figure(_ value: AccountSummary.Value) -> [String] {
    say("key", value.key) + say("segment", value.segment) + say("text", value.text)
      + say("amount", value.amount) + say("currency", value.currency)
      + say("severity", value.severity) + say("time", value.time)
  }

  private static func balance(_ balance: AccountLedger.Balance) -> [String] {
    say("key", balance.key) + say("currency", balance.currency) + say("cash", balance.cash)
      + say("settled", balance.settledCash) + say("net", balance.netLiquidation)
      + say("realized", balance.realized) + say("unrealized", balance.unrealized)
      + say("stock", balance.stockValue) + say("option", balance.optionValue)
      + say("interest", balance.interest) + say("dividends", balance.dividends)
      + say("rate", balance.exchangeRate) + say("time", balance.time)
  }

  private static func status(_ status: StatusUpdate) -> [String] {
    say("connected", status.connected) + say("authenticated", status.authenticated)
      + say("established", status.established) + say("competing", status.competing)
      + say("words", status.words.map { "'\($0)'" })
      + say("failure", status.failure.map { "'\($0)'" }) + say("server", status.serverName)
      + say("version", status.serverVersion) + say("user", status.user)
  }

  private static func accounts(_ accounts: SessionAccounts) -> [String] {
    say("selected", accounts.selected)
      + accounts.accounts.map { account in
        group(
          say("account", account) + say("alias", accounts.alias(of: account))
            + say("fractions", accounts.properties(of: account)?.flag("supportsFractions"))
        )
      } + say("paper", accounts.isPaper) + say("session", accounts.sessionID)
      + say("server", accounts.serverName) + say("version", accounts.serverVersion)
      + say("assets", accounts.assetTypes.count)
      + say("events", accounts.features?.flag("allowEventTrading"))
  }

  private static func note(_ note: Notifications.Item) -> [String] {
    say("id", note.id) + say("question", note.isQuestion) + say("order", note.orderID)
      + say("request", note.requestID) + say("message", note.messageID)
      + say("options", list(note.options)) + say("title", note.title) + say("url", note.url)
      + say("text", note.text)
  }
}
