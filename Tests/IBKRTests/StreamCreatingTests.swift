// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import GatewaySimulator
import Logging
import OAuth1a
import Testing
import Transport

@testable import IBKR

/// The ways of IBind to make a stream, and whose client ends with it.
@Suite(.timeLimit(.minutes(15))) struct StreamCreatingTests {
  /// What a program says of the client that it hands over.
  struct Claim: Sendable, CustomTestStringConvertible {
    var clientUsesOAuth: Bool
    var useOAuth: Bool
    /// nil for none, true for the client's own, false for another one.
    var hasOwnToken: Bool?
    var isTrue: Bool
    var testDescription: String {
      "client \(clientUsesOAuth), stream \(useOAuth), token \(hasOwnToken.map { "\($0)" } ?? "none")"
    }
  }

  static let claims = [
    Claim(clientUsesOAuth: true, useOAuth: true, isTrue: true),
    Claim(clientUsesOAuth: true, useOAuth: true, hasOwnToken: true, isTrue: true),
    Claim(clientUsesOAuth: true, useOAuth: true, hasOwnToken: false, isTrue: false),
    Claim(clientUsesOAuth: true, useOAuth: false, isTrue: false),
    Claim(clientUsesOAuth: false, useOAuth: false, isTrue: true),
    Claim(clientUsesOAuth: false, useOAuth: true, isTrue: false),
    Claim(clientUsesOAuth: false, useOAuth: true, hasOwnToken: true, isTrue: false),
    Claim(clientUsesOAuth: false, useOAuth: false, hasOwnToken: true, isTrue: false),
  ]

  private static func client(oauth: Bool) throws -> IbkrClient {
    try IbkrClient(
      configuration: IbkrConfiguration(
        environment: try VirtualServer.environment(),
        usesOAuth: oauth
      )
    )
  }

  @Test(arguments: claims)
  func aContradictionIsToldWithoutTheToken(_ claim: Claim) throws {
    let client = try Self.client(oauth: claim.clientUsesOAuth)
    let own = try VirtualServer.user.accessToken
    let token = claim.hasOwnToken.map { $0 ? own : Secret("PLANTED0123456789") }
    do throws(IbkrError) {
      let stream = try IbkrWsClient(
        ibkrClient: client,
        useOAuth: claim.useOAuth,
        accessToken: token
      )
      #expect(claim.isTrue)
      #expect(!stream.ownsClient)
    } catch {
      #expect(!claim.isTrue)
      #expect(error.code == .invalidConfiguration)
      #expect(error.remedy != nil)
      #expect(!error.description.contains("PLANTED"))
      #expect(!error.description.contains(own.exposedText))
    }
  }

  @Test func theTokenAloneSaysThatOAuthIsUsed() throws {
    let token = try VirtualServer.user.accessToken
    let oauth = try Self.client(oauth: true)
    let gateway = try Self.client(oauth: false)
    #expect(try !IbkrWsClient(ibkrClient: oauth, accessToken: token).ownsClient)
    let error = #expect(throws: IbkrError.self) {
      try IbkrWsClient(ibkrClient: gateway, accessToken: token)
    }
    #expect(error?.code == .invalidConfiguration)
  }

  @Test func withoutArgumentsTheEnvironmentDecides() throws {
    let expected = try IbkrConfiguration.fromEnvironment()
    let stream = try IbkrWsClient()
    #expect(stream.ownsClient)
    #expect(stream.ibkrClient.usesOAuth == (expected.oauth != nil))
    #expect(stream.ibkrClient.configuration.effectiveRESTURL == expected.effectiveRESTURL)
  }

  @Test(arguments: [true, false])
  func aStreamEndsTheClientThatItMade(_ ownsClient: Bool) async throws {
    let server = try await VirtualServer()
    let stream = IbkrWsClient(
      server.client,
      ownsClient: ownsClient,
      StreamConfiguration(),
      Logger(label: "test")
    )
    let run = Task(executorPreference: server.loop) {
      await Result { () async throws(IbkrError) in try await stream.run() }
    }
    await server.pass(.seconds(30))
    let state = await stream.sessionState
    #expect(state.isReady)
    let stopping = Task(executorPreference: server.loop) { await stream.stop() }
    await server.pass(.seconds(10))
    await stopping.value
    try await run.value.get()
    let paths = await server.simulator.requests.map(\.path)
    #expect(paths.first == "/oauth/live_session_token")
    #expect(paths.contains("/ws"))
    #expect(paths.count { $0 == "/logout" } == (ownsClient ? 1 : 0))
    #expect((paths.last == "/logout") == ownsClient)
    try await server.end()
  }
}
