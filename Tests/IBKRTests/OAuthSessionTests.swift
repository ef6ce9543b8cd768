// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import OAuth1a
import Testing
import Transport

@testable import IBKR

/// The life of an OAuth session, shown by the requests that the simulator sees.
@Suite(.timeLimit(.minutes(5))) struct OAuthSessionTests {
  private static let token = "POST oauth/live_session_token"
  private static let opening = "POST iserver/auth/ssodh/init"
  private static let status = "POST iserver/auth/status"
  private static let off = ["IBIND_INIT_OAUTH": "False"]

  @Test func theFirstCallLogsIn() async throws {
    let server = try await VirtualServer()
    let accounts = await server.perform(within: .seconds(3)) { client throws(IbkrError) in
      try await client.accounts()
    }
    #expect(try accounts.get().identifiers.count == 1)
    // Account data takes a second to load.
    #expect(
      server.tap.calls == [
        Self.token, Self.opening, Self.status, Self.status, "GET iserver/accounts",
      ]
    )
    // Every one names itself, and all but the first are signed with the token.
    #expect(server.tap.requests.allSatisfy { $0.userAgent?.isEmpty == false })
    let methods = server.tap.requests.map { request in
      request.authorization?.contains("RSA-SHA256") == true ? "RSA" : "HMAC"
    }
    #expect(methods == ["RSA", "HMAC", "HMAC", "HMAC", "HMAC"])
    #expect(server.tap.requests[1].body == #"{"publish":true,"compete":true}"#)
    let expiration = await server.client.liveSessionTokenExpiration
    let aDayLater: Int64 = 1_777_638_510_000
    #expect(expiration == aDayLater)
    try await server.end()
  }

  @Test func manyCallsAtOnceLogInOnce() async throws {
    let server = try await VirtualServer()
    let client = server.client
    let calls = (0..<20).map { _ in
      Task(executorPreference: server.loop) {
        await Result { () async throws(IbkrError) in try await client.accounts() }
      }
    }
    await server.pass(.seconds(10))
    for call in calls { _ = try await call.value.get() }
    #expect(server.tap.calls.count { $0 == Self.token } == 1)
    #expect(server.tap.calls.count { $0 == Self.opening } == 1)
    #expect(server.tap.calls.count { $0 == "GET iserver/accounts" } == 20)
    // Each attempt has a nonce of its own.
    let nonces = server.tap.requests.compactMap { request in
      request.authorization?.split(separator: ", ").first { $0.hasPrefix("oauth_nonce") }
    }
    #expect(Set(nonces).count == server.tap.calls.count)
    try await server.end()
  }

  @Test func tokensThatAreAskedForTogetherAreOne() async throws {
    let server = try await VirtualServer(Self.off)
    let (client, loop) = (server.client, server.loop)
    // On the loop, so that none begins before all are there.
    let calls = await loop.run { _ in
      (0..<5).map { _ in
        Task(executorPreference: loop) {
          await Result { () async throws(IbkrError) in try await client.generateLiveSessionToken() }
        }
      }
    }
    await server.pass(.seconds(1))
    for call in calls { try await call.value.get() }
    #expect(server.tap.calls == [Self.token])
    try await server.end()
  }

  @Test func theManualExampleInItsOrder() async throws {
    let server = try await VirtualServer([
      "IBIND_INIT_OAUTH": "False", "IBIND_INIT_BROKERAGE_SESSION": "False",
      "IBIND_MAINTAIN_OAUTH": "False", "IBIND_SHUTDOWN_OAUTH": "False",
    ])
    let early = await server.perform { client throws(IbkrError) in try await client.authStatus() }
    #expect(early.error?.code == .authentication)
    #expect(early.error?.description.contains("generateLiveSessionToken()") == true)
    #expect(server.tap.calls.isEmpty)

    let state = await server.perform { client throws(IbkrError) in
      try await client.generateLiveSessionToken()
      await client.startTickler()
      await client.registerShutdownHandler()
      return try await client.initializeBrokerageSession()
    }
    #expect(try state.get().authenticated == true)
    await server.pass(.seconds(130))
    let end = await server.perform { client throws(IbkrError) in
      await client.close()
      return 0
    }
    #expect(end.error == nil)
    #expect(
      server.tap.calls == [Self.token, Self.opening, "POST tickle", "POST tickle", "POST logout"]
    )
    try await server.end()
  }

  @Test func aGatewayIsNeverLoggedOutOf() async throws {
    let server = try await VirtualServer { configuration in
      configuration.oauth = nil
      configuration.restURL = "http://server:5000/v1/api"
    }
    let refusals = [
      await server.perform { client throws(IbkrError) in try await client.logout() },
      await server.perform { client throws(IbkrError) in try await client.oauthShutdown() },
      await server.perform { client throws(IbkrError) in try await client.oauthInit() },
      await server.perform { client throws(IbkrError) in
        try await client.generateLiveSessionToken()
      },
      await server.perform { client throws(IbkrError) in
        _ = try await client.initializeBrokerageSession()
      },
    ]
    for refusal in refusals { #expect(refusal.error?.code == .invalidConfiguration) }
    _ = await server.perform { client throws(IbkrError) in await client.registerShutdownHandler() }
    _ = await server.perform { client throws(IbkrError) in await client.close() }
    #expect(server.tap.calls.isEmpty)
    try await server.end()
  }
}

extension Result where Failure == IbkrError {
  /// The failure, nil for a success.
  var error: IbkrError? {
    if case .failure(let error) = self { error } else { nil }
  }
}
