// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON
import OAuth1a
import Testing

@testable import GatewaySimulator

/// The faults of REST and of the brokerage session, at a gateway and with OAuth.
@Suite struct TroubleTests {
  private static let opening = #"{"publish":true,"compete":true}"#

  /// A gateway with an open socket; the fault begins now.
  private func gateway(_ fault: Fault) -> Desk {
    var desk = Desk()
    _ = desk.open()
    desk.pass(milliseconds: 1_000)
    desk.gateway.inject(fault, at: desk.now)
    return desk
  }

  /// An OAuth client whose brokerage session is established; the fault begins now.
  private func client(_ fault: Fault) throws -> OAuthGateTests.Client {
    var client = try OAuthGateTests.Client()
    try client.logIn()
    _ = try client.open()
    client.desk.pass(milliseconds: 1_000)
    let isEstablished = try client.flag("established")
    try #require(isEstablished == true)
    client.desk.gateway.inject(fault, at: client.desk.now)
    return client
  }

  static let refusals: [(Fault, Int)] = [
    (.gone(for: .seconds(20)), 410),
    (.tooManyRequests(for: .seconds(20), retryAfter: nil), 429),
    (.tooManyRequests(for: .seconds(20), retryAfter: .seconds(7)), 429),
    (.loginLoss(for: .seconds(20)), 401),
  ]

  @Test(arguments: refusals)
  func everyRequestIsRefusedForAWhile(fault: Fault, status: Int) {
    var desk = gateway(fault)
    let paths = ["/tickle", "/iserver/auth/status", "/iserver/accounts", "/nothing"]
    for path in paths { #expect(desk.get(path)?.status == status, "\(path)") }
    desk.pass(milliseconds: 19_999)
    #expect(desk.get("/tickle")?.status == status)
    desk.pass(milliseconds: 1)
    #expect(desk.get("/tickle")?.status == 200)
    #expect(desk.get("/iserver/accounts")?.status == 200)
  }

  @Test(arguments: refusals)
  func soIsARequestForAToken(fault: Fault, status: Int) throws {
    var client = try client(fault)
    let response = try client.askForToken()
    #expect(response?.status == status)
    client.desk.pass(milliseconds: 20_000)
    try client.logIn()
    #expect(try client.send("/tickle")?.status == 200)
  }

  @Test func saysWhenToComeBack() throws {
    var without = gateway(.tooManyRequests(for: .seconds(9), retryAfter: nil))
    let silent = without.get("/tickle")
    let silence = try text(try #require(silent))
    #expect(!silence.contains("retry-after"))
    var with = gateway(.tooManyRequests(for: .seconds(9), retryAfter: .seconds(7)))
    let answer = with.get("/tickle")
    let told = try #require(answer)
    let word = try text(told)
    #expect(word.contains("\r\nretry-after: 7\r\n"))
    #expect(try JSONValue(parsing: Array(told.body.utf8))["error"]?.string != nil)
  }

  private func text(_ response: GatewayResponse) throws -> String {
    String(decoding: try response.message(), as: UTF8.self)
  }

  @Test func goneMeansThatTheTokenHasEnded() throws {
    var client = try client(.gone(for: .seconds(20)))
    client.desk.pass(milliseconds: 20_000)
    #expect(try client.send("/tickle")?.status == 401)
  }

  @Test func aTickleIsNeverAnswered() {
    var desk = gateway(.tickleTimeout(for: .seconds(60)))
    for method in ["GET", "POST"] { #expect(desk.get("/tickle", method: method) == nil) }
    #expect(desk.get("/iserver/auth/status")?.status == 200)
    desk.pass(milliseconds: 60_000)
    #expect(desk.get("/tickle")?.status == 200)
  }

  @Test func accountDataIsNotLoaded() throws {
    var desk = gateway(.notEstablished(for: .seconds(20)))
    func count() throws -> Int? {
      let response = desk.get("/iserver/accounts")
      return try JSONValue(parsing: Array(try #require(response).body.utf8))["accounts"]?
        .elements?.count
    }
    var accounts = try count()
    #expect(desk.get("/iserver/auth/status")?.body.contains(#""established":false"#) == true)
    #expect(desk.get("/iserver/auth/status")?.body.contains(#""authenticated":true"#) == true)
    #expect(accounts == 0)
    #expect(desk.get("/portfolio/accounts")?.body == "[]")
    desk.pass(milliseconds: 20_000)
    #expect(desk.get("/iserver/auth/status")?.body.contains(#""established":true"#) == true)
    accounts = try count()
    #expect(accounts == 1)
  }

  @Test(arguments: [true, false])
  func theBrokerageSessionStaysAwayUntilItIsOpened(isAnnounced: Bool) throws {
    var client = try client(.brokerageLoss(isAnnounced: isAnnounced))
    #expect(try client.send("/iserver/accounts")?.status == 400)
    client.desk.pass(milliseconds: 3_600_000)
    #expect(try client.flag("authenticated") == false)
    #expect(try client.flag("connected") == true)
    #expect(try client.open()?.body.contains(#""established":false"#) == true)
    client.desk.pass(milliseconds: 1_000)
    #expect(try client.flag("established") == true)
  }

  @Test(arguments: [true, false])
  func onlyTheLossIsTold(isAnnounced: Bool) {
    var desk = gateway(.brokerageLoss(isAnnounced: isAnnounced))
    desk.pass(milliseconds: 100)
    _ = desk.get("/iserver/auth/ssodh/init", method: "POST", body: Self.opening)
    desk.pass(milliseconds: 15_000)
    let told = desk.take().filter { $0.contains(#""topic":"sts""#) }.dropFirst()
    #expect(told.count == (isAnnounced ? 1 : 0))
    #expect(told.allSatisfy { $0.contains(#""authenticated":false"#) })
  }

  @Test func afterAnotherLoginTheSessionHasToBeOpened() throws {
    var client = try client(.competingLogin(for: .seconds(60)))
    #expect(try client.flag("competing") == true)
    client.desk.pass(milliseconds: 60_000)
    #expect(try client.flag("competing") == false)
    #expect(try client.flag("authenticated") == false)
    _ = try client.open()
    #expect(try client.flag("authenticated") == true)
  }

  @Test func theNightlyResetEndsAnOAuthLogin() throws {
    var client = try client(.nightlyReset(for: .seconds(300)))
    let session = client.desk.gateway.state.login.session
    #expect(try client.flag("authenticated") == false)
    _ = try client.open()
    #expect(try client.flag("authenticated") == false)
    client.desk.pass(milliseconds: 300_000)
    #expect(try client.send("/tickle")?.status == 401)
    try client.logIn()
    #expect(client.desk.gateway.state.login.session != session)
    _ = try client.open()
    #expect(try client.flag("authenticated") == true)
  }

  @Test(arguments: [Fault.nightlyReset(for: .seconds(300)), .loginLoss(for: .seconds(300))])
  func afterwardsSomebodyHasLoggedInAtTheGateway(fault: Fault) {
    var desk = gateway(fault)
    let session = desk.gateway.state.login.session
    desk.pass(milliseconds: 299_999)
    #expect(desk.get("/iserver/accounts")?.status != 200)
    #expect(!desk.log.contains { $0.output == .close(code: 1000) })
    desk.pass(milliseconds: 1)
    #expect(desk.log.filter { $0.output == .close(code: 1000) }.count == 1)
    #expect(desk.gateway.state.login.session != session)
    #expect(desk.get("/iserver/accounts")?.status == 200)
  }

  @Test func aTokenThatComesTooLateBeginsAnotherLogin() throws {
    var client = try client(.tokenLoss)
    let socket = client.desk.open()
    client.desk.pass(milliseconds: 500)
    let session = client.desk.gateway.state.login.session
    #expect(try client.send("/tickle")?.status == 401)
    try client.logIn()
    #expect(client.desk.gateway.state.login.session != session)
    #expect(try client.flag("authenticated") == false)
    client.desk.pass(milliseconds: 15_000)
    #expect(client.desk.log.contains { $0.socket == socket && $0.output == .close(code: 1000) })
  }

  @Test func aTokenRenewedInTimeGoesOnWithTheLogin() throws {
    var client = try client(.dataPause(for: .seconds(1)))
    let session = client.desk.gateway.state.login.session
    try client.logIn()
    #expect(client.desk.gateway.state.login.session == session)
    #expect(try client.flag("authenticated") == true)
  }

  @Test func aTokenLivesAsLongAsItIsToldTo() throws {
    var client = try OAuthGateTests.Client { $0.tokenLifetime = 90_000_000_000 }
    try client.logIn()
    #expect(client.token?.expiration == client.desk.now.milliseconds + 90_000)
    client.desk.pass(milliseconds: 89_999)
    #expect(try client.send("/tickle")?.status == 200)
    client.desk.pass(milliseconds: 1)
    #expect(try client.send("/tickle")?.status == 401)
  }

  @Test(arguments: ["", "{}", #"{"publish":false,"compete":true}"#])
  func theBrokerageSessionHasToBePublished(body: String) {
    var desk = Desk()
    let response = desk.get("/iserver/auth/ssodh/init", method: "POST", body: body)
    #expect(response?.status == 500)
  }
}
