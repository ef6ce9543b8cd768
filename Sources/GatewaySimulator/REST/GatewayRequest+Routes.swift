// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

extension GatewayRequest {
  /// Finds the answer, and does to the gateway what the request asks for.
  func answer(_ gateway: inout GatewayState, at now: Timestamp) -> GatewayResponse {
    if gateway.gate != nil {
      if let answer = gateway.gate?.answer(self, at: now) {
        // A new token opens the outer session; the brokerage session has its own call.
        if answer.status == 200, !gateway.login.connected { gateway.login.connected = true }
        return answer
      }
    }
    switch (method, path) {
    case ("POST", "/tickle"), ("GET", "/tickle"):
      return .json(gateway.login.tickle(gateway.account))
    case ("POST", "/iserver/auth/status"), ("GET", "/iserver/auth/status"):
      return .json(gateway.login.status(gateway.account))
    case ("POST", "/logout"), ("GET", "/logout"):
      gateway.logOut()
      return .json(#"{"status":true}"#)
    default:
      guard gateway.login.connected else { return .unauthorized }
      return answerWhenConnected(&gateway, at: now)
    }
  }

  private func answerWhenConnected(
    _ gateway: inout GatewayState,
    at now: Timestamp
  ) -> GatewayResponse {
    switch (method, path) {
    case ("POST", "/iserver/auth/ssodh/init"):
      // Another login keeps the session unless the request wants to compete for it.
      if !gateway.login.competing || parameter("compete") == "true" {
        gateway.login.authenticated = true
        gateway.login.established = true
        gateway.login.competing = false
      }
      return .json(gateway.login.opening(gateway.account))
    case ("POST", "/iserver/reauthenticate"):
      return .json(#"{"message":"triggered"}"#)
    case ("GET", "/trsrv/stocks"):
      return stocks(gateway.options.catalogue)
    case ("GET", "/trsrv/secdef"):
      return definitions(gateway.options.catalogue)
    case ("GET", "/portfolio/accounts"):
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
      gateway.hasListedAccounts = true
      return .json(gateway.account.accounts)
    case ("GET", "/iserver/secdef/search"), ("POST", "/iserver/secdef/search"):
      return search(gateway.options.catalogue)
    case ("GET", "/iserver/marketdata/snapshot"):
      return snapshot(&gateway, at: now)
    case ("GET", "/iserver/marketdata/unsubscribeall"):
      gateway.endSnapshots()
      return .json(#"{"unsubscribed":true}"#)
    default:
      let parts = path.split(separator: "/")
      guard
        method == "GET", parts.count == 4, parts[1] == "contract", parts[3] == "info",
        let conid = Int(parts[2])
      else { return .notFound }
      return information(conid, gateway.options.catalogue)
    }
  }
}
