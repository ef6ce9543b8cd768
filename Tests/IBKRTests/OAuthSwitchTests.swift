// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import HTTP1
import OAuth1a
import Testing
import Transport

@testable import IBKR

/// Each of the four things that happen by themselves, off by variable and by field, as the requests
/// show that the simulator has seen.
@Suite(.timeLimit(.minutes(5))) struct OAuthSwitchTests {
  enum Switch: String, CaseIterable, Sendable {
    case none
    case initOAuth = "IBIND_INIT_OAUTH"
    case initBrokerageSession = "IBIND_INIT_BROKERAGE_SESSION"
    case maintainOAuth = "IBIND_MAINTAIN_OAUTH"
    case shutdownOAuth = "IBIND_SHUTDOWN_OAUTH"

    func turnOff(_ oauth: inout OAuth1aConfig) {
      switch self {
      case .none: break
      case .initOAuth: oauth.initOAuth = false
      case .initBrokerageSession: oauth.initBrokerageSession = false
      case .maintainOAuth: oauth.maintainOAuth = false
      case .shutdownOAuth: oauth.shutdownOAuth = false
      }
    }

    /// What is seen of a program that looks something up, runs for 130 s and ends.
    var requests: [String] {
      let token = ["POST /oauth/live_session_token 200"]
      // Account data takes a second to load.
      let opening =
        ["POST /iserver/auth/ssodh/init 200"]
        + [String](repeating: "POST /iserver/auth/status 200", count: 2)
      let lookUp = ["GET /trsrv/secdef 200"]
      let tickles = ["POST /tickle 200", "POST /tickle 200"]
      let logout = ["POST /logout 200"]
      return switch self {
      case .none: token + opening + lookUp + tickles + logout
      case .initOAuth: []
      case .initBrokerageSession: token + lookUp + tickles + logout
      case .maintainOAuth: token + opening + lookUp + logout
      case .shutdownOAuth: token + opening + lookUp + tickles
      }
    }
  }

  enum Way: CaseIterable, Sendable { case variable, field }

  @Test(arguments: Switch.allCases, Way.allCases)
  func whatIsOffIsNotRequested(_ which: Switch, _ way: Way) async throws {
    var variables: [String: String] = [:]
    if way == .variable, which != .none { variables[which.rawValue] = "False" }
    let server = try await VirtualServer(variables) { configuration in
      guard way == .field, var oauth = configuration.oauth else { return }
      which.turnOff(&oauth)
      configuration.oauth = oauth
    }
    let found = await server.perform(within: .seconds(5)) { client throws(IbkrError) in
      try await client.call(.get, "trsrv/secdef", query: [("conids", "265598")])
    }
    #expect(found.error?.code == (which == .initOAuth ? .authentication : nil))
    await server.pass(.seconds(125))
    _ = await server.perform(within: .seconds(10)) { client throws(IbkrError) in
      await client.close()
    }
    let requests = await server.simulator.requests.map { request in
      "\(request.method) \(request.path) \(request.status.map(String.init) ?? "-")"
    }
    #expect(requests == which.requests)
    try await server.end()
  }

  @Test func byHandInTheOrderOfTheExample() async throws {
    let server = try await VirtualServer { configuration in
      guard var oauth = configuration.oauth else { return }
      for which in Switch.allCases { which.turnOff(&oauth) }
      configuration.oauth = oauth
    }
    let state = await server.perform(within: .seconds(5)) { client throws(IbkrError) in
      try await openByHand(client)
    }
    #expect(try state.get().isReady)
    await server.pass(.seconds(60))
    _ = await server.perform(within: .seconds(10)) { client throws(IbkrError) in
      await client.close()
    }
    let paths = await server.simulator.requests.map(\.path)
    #expect(
      paths == [
        "/oauth/live_session_token", "/iserver/auth/ssodh/init", "/iserver/auth/status",
        "/iserver/auth/status", "/tickle", "/logout",
      ]
    )
    try await server.end()
  }
}

/// The README's example; scripts/lib/check-readme compares the two.
func openByHand(_ client: IbkrClient) async throws(IbkrError) -> SessionState {
  try await client.generateLiveSessionToken()  // required
  await client.startTickler()  // optional
  await client.registerShutdownHandler()  // optional: SIGINT, SIGTERM and close() log out
  try await client.initializeBrokerageSession()  // required for market data
  return try await client.waitUntilReady()
}
