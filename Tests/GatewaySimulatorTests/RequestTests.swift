// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import Testing

@testable import GatewaySimulator

@Suite struct RequestTests {
  private func parse(_ response: GatewayResponse?) throws -> JSONValue {
    try JSONValue(parsing: Array(try #require(response).body.utf8))
  }

  @Test func everyBodyIsJSON() throws {
    var desk = Desk()
    for path in [
      "/tickle", "/iserver/auth/status", "/iserver/accounts", "/trsrv/stocks?symbols=AAPL,IBM",
      "/iserver/secdef/search?symbol=AAPL", "/trsrv/secdef?conids=265598,8314",
      "/iserver/contract/265598/info", "/portfolio/accounts",
      "/iserver/marketdata/snapshot?conids=265598&fields=31",
      "/iserver/marketdata/unsubscribeall",
    ] {
      let response = desk.get(path)
      #expect(response?.status == 200, "\(path)")
      #expect(try parse(response).isNull == false, "\(path)")
    }
  }

  @Test func ticklesWithTheSessionOfTheCookie() throws {
    var desk = Desk()
    for method in ["GET", "POST"] {
      let body = try parse(desk.get("/tickle", method: method))
      #expect(body["session"]?.string == desk.gateway.state.login.session)
      #expect(body["iserver"]?["authStatus"]?["established"]?.bool == true)
      #expect(body["hmds"]?["error"]?.string == "no bridge")
    }
  }

  @Test func findsStocksBySymbol() throws {
    var desk = Desk()
    let body = try parse(desk.get("/trsrv/stocks?symbols=AAPL,SAN,NOSUCH,%22"))
    let contracts = body["AAPL"]?[0]?["contracts"]?.elements ?? []
    #expect(contracts.count == 2)
    #expect(contracts.first?["conid"]?.int == 265598)
    #expect(contracts.filter { $0["isUS"]?.bool == true }.count == 1)
    #expect(body["SAN"]?.elements?.count == 2)
    #expect(body["NOSUCH"]?.elements?.isEmpty == true)
    #expect(body["\""]?.elements?.isEmpty == true)
    #expect(desk.get("/trsrv/stocks")?.status == 400)
  }

  @Test func searchesBySymbolAndByName() throws {
    var desk = Desk()
    let bySymbol = try parse(desk.get("/iserver/secdef/search?symbol=MSFT"))
    // The id is a string here and a number in `trsrv/stocks`.
    #expect(bySymbol[0]?["conid"] == .string("272093"))
    let byName = try parse(
      desk.get("/iserver/secdef/search", method: "POST", body: #"{"symbol":"walt","name":true}"#)
    )
    #expect(byName[0]?["symbol"]?.string == "DIS")
    #expect(try parse(desk.get("/iserver/secdef/search?symbol=NOSUCH")).elements?.isEmpty == true)
    #expect(desk.get("/iserver/secdef/search")?.status == 400)
  }

  @Test func theFirstSnapshotIsAPreflight() throws {
    var desk = Desk()
    let path = "/iserver/marketdata/snapshot?conids=265598,8595&fields=31,84"
    #expect(desk.get(path)?.status == 400)
    _ = desk.get("/iserver/accounts")
    #expect(try parse(desk.get(path))[0]?.members?.map(\.key) == ["conid", "conidEx"])
    let second = try parse(desk.get(path))
    #expect(second[0]?["84"]?.string?.contains(".") == true)
    #expect(second[1]?["31"]?.string == "N/A")
    #expect(desk.gateway.nextTime != nil)
    _ = desk.get("/iserver/marketdata/unsubscribeall")
    #expect(desk.gateway.nextTime == nil)
  }

  @Test func afterLogoutNothingWorks() throws {
    var desk = Desk()
    #expect(try parse(desk.get("/logout", method: "POST"))["status"]?.bool == true)
    #expect(try parse(desk.get("/tickle"))["error"]?.string == "no session")
    #expect(try parse(desk.get("/iserver/auth/status"))["connected"]?.bool == false)
    #expect(desk.get("/iserver/accounts")?.status == 401)
    _ = desk.open()
    desk.pass(milliseconds: 500)
    #expect(desk.take() == [#"{"message":"waiting for session"}"#])
  }

  @Test(arguments: [
    "/nothing", "/iserver/nothing", "/iserver/contract/x/info", "/iserver/contract/7/info",
  ])
  func doesNotKnowOtherPaths(path: String) {
    var desk = Desk()
    #expect(desk.get(path)?.status == 404)
  }

  @Test(
    arguments: [
      ("/v1/api/tickle", "/tickle", [:]), ("/v1/portal/tickle?a=b", "/tickle", ["a": "b"]),
      ("/v1/api/x?a=b%20c+d&e&=f&g=h=i", "/x", ["a": "b c d", "e": "", "": "f", "g": "h=i"]),
      ("/v1/api/x%2", "/x%2", [:]), ("/v1/api/%zz", "/%zz", [:]),
    ] as [(String, String, [String: String])]
  )
  func readsTargets(target: String, path: String, query: [String: String]) throws {
    let request = try #require(GatewayRequest(method: "GET", target: target, body: []))
    #expect(request.path == path)
    #expect(request.query == query)
  }

  @Test(arguments: ["", "/", "*", "/v1/api", "/v2/api/tickle"])
  func refusesOtherTargets(target: String) {
    #expect(GatewayRequest(method: "GET", target: target, body: []) == nil)
  }
}
