// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing

@testable import GatewaySimulator

@Suite struct PacingTests {
  private func desk(penalty: Duration = .zero) -> Desk {
    Desk { $0.pacing = .enforced(penalty: penalty) }
  }

  @Test func aClientMayBeAsFastAsItLikesByDefault() {
    var desk = Desk()
    for _ in 0..<100 { #expect(desk.get("/tickle")?.status == 200) }
  }

  @Test func tenRequestsASecondAreEnough() {
    var desk = desk()
    for _ in 0..<10 { #expect(desk.get("/iserver/auth/status")?.status == 200) }
    #expect(desk.get("/iserver/auth/status")?.status == 429)
    // A refused request does not count, so the way is free as soon as the first ten are old.
    desk.pass(milliseconds: 1_000)
    for _ in 0..<10 { #expect(desk.get("/iserver/auth/status")?.status == 200) }
  }

  @Test func theWindowSlides() {
    var desk = desk()
    for _ in 0..<5 { #expect(desk.get("/iserver/auth/status")?.status == 200) }
    desk.pass(milliseconds: 900)
    for _ in 0..<5 { #expect(desk.get("/iserver/auth/status")?.status == 200) }
    desk.pass(milliseconds: 200)
    for _ in 0..<5 { #expect(desk.get("/iserver/auth/status")?.status == 200) }
    #expect(desk.get("/iserver/auth/status")?.status == 429)
  }

  @Test(
    arguments: [
      ("GET", "/tickle", 1), ("GET", "/portfolio/accounts", 5), ("GET", "/sso/validate", 60),
      ("GET", "/iserver/account/orders", 5), ("GET", "/iserver/scanner/params", 900),
      ("POST", "/pa/performance", 900), ("PUT", "/fyi/settings/BA", 1),
    ] as [(String, String, Int64)]
  )
  func anEndpointHasItsOwnLimit(method: String, path: String, seconds: Int64) {
    var desk = desk()
    #expect(desk.get(path, method: method)?.status != 429)
    #expect(desk.get(path, method: method)?.status == 429)
    desk.pass(milliseconds: seconds * 1_000 - 100)
    #expect(desk.get(path, method: method)?.status == 429)
    desk.pass(milliseconds: 100)
    #expect(desk.get(path, method: method)?.status != 429)
    #expect(desk.get("/iserver/auth/status")?.status == 200)
  }

  @Test func thePenaltyIsForEverything() {
    var desk = desk(penalty: .seconds(900))
    _ = desk.get("/tickle")
    #expect(desk.get("/tickle")?.status == 429)
    desk.pass(milliseconds: 899_999)
    #expect(desk.get("/iserver/auth/status")?.status == 429)
    desk.pass(milliseconds: 1)
    #expect(desk.get("/iserver/auth/status")?.status == 200)
  }
}
