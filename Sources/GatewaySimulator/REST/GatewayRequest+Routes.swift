// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

extension GatewayRequest {
  /// Finds the answer, and does to the gateway what the request asks for.
  ///
  /// - Returns: nil if there is never to be an answer.
  func answer(_ gateway: inout GatewayState, at now: Timestamp) -> GatewayResponse? {
    let time = now.monotonic
    guard gateway.pacing.admits(self, at: time) else { return .tooManyRequests() }
    if let refusal = gateway.troubles.refusal(at: time) { return refusal }
    if let answer = answerOfGate(&gateway, at: now) { return answer }
    switch (method, path) {
    case ("POST", "/tickle"), ("GET", "/tickle"):
      guard time >= gateway.troubles.ticklesLostUntil else { return nil }
      let isGateway = gateway.gate == nil
      return .json(gateway.login.tickle(gateway.account, isGateway: isGateway, at: time))
    case ("GET", "/iserver/marketdata/history")
    where gateway.troubles.history(at: time) == .unanswered:
      return nil
    case ("POST", "/iserver/auth/status"), ("GET", "/iserver/auth/status"):
      return .json(gateway.login.status(gateway.account, at: time))
    case ("POST", "/logout"), ("GET", "/logout"):
      gateway.logOut()
      return .json(#"{"status":true}"#)
    default:
      guard gateway.login.connected else { return .unauthorized }
      return answerWhenConnected(&gateway, at: now)
    }
  }

  /// What the door of api.ibkr.com says; nil where a request is let in.
  private func answerOfGate(
    _ gateway: inout GatewayState,
    at now: Timestamp
  ) -> GatewayResponse? {
    let wasLoggedIn = gateway.gate?.hasSession(at: now) ?? true
    guard let answer = gateway.gate?.answer(self, at: now) else { return nil }
    // A token renewed in time goes on with the login. Any other begins one: the outer session; the
    // brokerage session has its own call.
    if !wasLoggedIn, gateway.gate?.hasSession(at: now) == true { gateway.logIn() }
    return answer
  }

  private func answerWhenConnected(
    _ gateway: inout GatewayState,
    at now: Timestamp
  ) -> GatewayResponse {
    switch (method, path) {
    case ("POST", "/iserver/auth/ssodh/init"):
      guard parameter("publish") == "true" else {
        return .error("publish must be true", status: 500)
      }
      gateway.openBrokerageSession(
        competing: parameter("compete") == "true",
        at: now.monotonic
      )
      return .json(gateway.login.opening(gateway.account, at: now.monotonic))
    case ("POST", "/iserver/reauthenticate"):
      return .json(#"{"message":"triggered"}"#)
    case ("GET", "/trsrv/stocks"):
      return stocks(gateway.options.catalogue)
    case ("GET", "/trsrv/futures"):
      return futures(at: now)
    case ("GET", "/trsrv/secdef"):
      return definitions(gateway.options.catalogue)
    case ("GET", "/contract/trading-schedule"):
      return tradingSchedule(gateway.options.catalogue, at: now)
    case ("GET", "/portfolio/accounts"):
      guard gateway.login.isEstablished(at: now.monotonic) else { return .json("[]") }
      let id = gateway.account.accountID
      return .json(#"[{"id":"\#(id)","accountId":"\#(id)","currency":"USD","type":"DEMO"}]"#)
    default:
      guard path.hasPrefix("/iserver/") else { return .notFound }
      guard gateway.login.authenticated else {
        return .error("Bad Request: no bridge", status: 400)
      }
      return answerWithBrokerageSession(&gateway, at: now)
    }
  }

  private func answerWithBrokerageSession(
    _ gateway: inout GatewayState,
    at now: Timestamp
  ) -> GatewayResponse {
    switch (method, path) {
    case ("GET", "/iserver/accounts"):
      // Recorded: before account data is loaded the lists are empty, without an error.
      guard gateway.login.isEstablished(at: now.monotonic) else {
        return .json(#"{"accounts":[],"acctProps":{},"aliases":{}}"#)
      }
      gateway.hasListedAccounts = true
      return .json(gateway.account.accounts)
    case ("GET", "/iserver/account/orders"):
      return .json(gateway.blotter.orders(isForced: parameter("force") == "true"))
    case ("GET", "/iserver/account/trades"):
      return .json(gateway.blotter.executions)
    case ("GET", "/iserver/secdef/search"), ("POST", "/iserver/secdef/search"):
      return search(&gateway, at: now)
    case ("GET", "/iserver/secdef/strikes"):
      return strikes(gateway, at: now)
    case ("GET", "/iserver/secdef/info"):
      return derivatives(gateway, at: now)
    case ("GET", "/iserver/currency/pairs"):
      return currencyPairs(gateway.options.catalogue)
    case ("GET", "/iserver/marketdata/snapshot"):
      return snapshot(&gateway, at: now)
    case ("GET", "/iserver/marketdata/history"):
      return history(&gateway, at: now)
    case ("GET", "/iserver/marketdata/unsubscribeall"):
      gateway.endSnapshots()
      return .json(#"{"unsubscribed":true}"#)
    default:
      let parts = path.split(separator: "/")
      guard
        method == "GET", parts.count == 4, parts[1] == "contract",
        parts[3] == "info" || parts[3] == "info-and-rules", let conid = Int(parts[2])
      else { return .notFound }
      return information(conid, gateway.options.catalogue, withRules: parts[3] != "info")
    }
  }
}
