// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import GatewaySimulator
import OAuth1a
import Testing
import Transport

@testable import IBKR

/// What the client does by itself when the server, the clock or the keys are not as they should be.
@Suite(.timeLimit(.minutes(5))) struct OAuthTroubleTests {
  private static let token = "POST oauth/live_session_token"

  // MARK: - Wrong credentials

  struct Mistake: Sendable, CustomTestStringConvertible {
    var name: String
    var code: IbkrError.Code
    var mentions: String
    var make: @Sendable (inout OAuth1aConfig) -> Void
    var testDescription: String { name }
  }

  static let mistakes = [
    Mistake(name: "another consumer", code: .authentication, mentions: "nightly restart") {
      $0.consumerKey = "WRONGKEYS"
    },
    Mistake(name: "another token", code: .authentication, mentions: "copy it again") {
      $0.accessToken = Secret("8d1f0c27ab5e94630b7a")
    },
    Mistake(name: "another realm", code: .authentication, mentions: "invalid realm") {
      $0.realm = "test_realm"
    },
    Mistake(name: "swapped keys", code: .invalidConfiguration, mentions: "swapped") {
      ($0.signatureKey, $0.encryptionKey) = ($0.encryptionKey, $0.signatureKey)
    },
    Mistake(name: "wrong signature key", code: .authentication, mentions: "swapped") {
      $0.signatureKey = $0.encryptionKey
    },
    Mistake(name: "another prime", code: .authentication, mentions: "Diffie-Hellman prime") {
      $0.dhPrime = $0.dhPrime.map { $0.dropLast(4) + "ff01" }
    },
    Mistake(name: "no prime", code: .invalidConfiguration, mentions: "asn1parse") {
      $0.dhPrime = "not hexadecimal"
    },
    Mistake(name: "no key", code: .invalidConfiguration, mentions: "signature key") {
      $0.signatureKey = Secret("-----BEGIN PRIVATE KEY-----")
    },
    Mistake(name: "no file", code: .invalidConfiguration, mentions: "SIGNATURE_KEY_FP") {
      $0.signatureKey = nil
      $0.signatureKeyFile = "/nowhere/private_signature.pem"
    },
    Mistake(name: "short consumer", code: .invalidConfiguration, mentions: "nine capital") {
      $0.consumerKey = "lower"
    },
  ]

  @Test(arguments: mistakes)
  func aMistakeIsNamedAndNoSecretIs(_ mistake: Mistake) async throws {
    let server = try await VirtualServer { configuration in
      guard var oauth = configuration.oauth else { return }
      mistake.make(&oauth)
      configuration.oauth = oauth
    }
    let result = await server.perform { client throws(IbkrError) in try await client.authStatus() }
    let error = try #require(result.error)
    #expect(error.code == mistake.code)
    let text = error.description
    #expect(text.contains(mistake.mentions), "\(text)")
    let user = try VirtualServer.user
    for secret in [user.accessToken, user.accessTokenSecret] {
      #expect(!text.contains(secret.exposedText))
    }
    try await server.end()
  }

  // MARK: - Renewal

  @Test func theTokenIsRenewedBeforeItEnds() async throws {
    let server = try await VirtualServer { _ in
    } simulated: {
      $0.tokenLifetime = .seconds(3_600)
    }
    _ = await server.perform(within: .seconds(5)) { client throws(IbkrError) in
      try await client.accounts()
    }
    await server.pass(.seconds(4 * 3_600))
    let tokens = server.tap.requests.filter { $0.call == Self.token }.map {
      $0.time / 1_000_000_000
    }
    #expect(tokens.count == 5)
    for (first, second) in zip(tokens, tokens.dropFirst()) {
      #expect((3_000...3_065).contains(second - first))
    }
    // Nobody was ever refused.
    #expect(await server.simulator.requests.allSatisfy { $0.status == 200 })
    // What was open stays open, and no other login is thrown out by a renewal.
    #expect(server.tap.calls.count { $0 == "POST iserver/auth/ssodh/init" } == 1)
    try await server.end()
  }

  @Test func aRenewalThatFailsIsTriedAgainWhileTheOldTokenLasts() async throws {
    let server = try await VirtualServer { _ in
    } simulated: {
      $0.tokenLifetime = .seconds(3_600)
    }
    _ = await server.perform(within: .seconds(5)) { client throws(IbkrError) in
      try await client.accounts()
    }
    await server.pass(.seconds(2_990))
    await server.simulator.inject(.gone(for: .seconds(200)))
    await server.pass(.seconds(700))
    let answers = await server.simulator.requests.filter {
      $0.path == "/oauth/live_session_token"
    }
    let statuses = answers.map(\.status)
    #expect(statuses.first == 200 && statuses.last == 200)
    #expect(statuses.dropFirst().dropLast().allSatisfy { $0 == 410 })
    // One try a minute.
    #expect((4...6).contains(statuses.count))
    let expiration = try #require(await server.client.liveSessionTokenExpiration)
    #expect(expiration > 1_777_552_110_000 + 6_000_000)
    try await server.end()
  }

  // MARK: - Refusals

  @Test(
    arguments: [
      (.gone(for: .seconds(10)), .sessionGone), (.loginLoss(for: .seconds(10)), .authentication),
      (.tokenLoss, .authentication),
    ] as [(Fault, IbkrError.Code)]
  )
  func refusalsAreToldApart(_ fault: Fault, _ code: IbkrError.Code) async throws {
    let server = try await VirtualServer()
    _ = await server.perform(within: .seconds(5)) { client throws(IbkrError) in
      try await client.accounts()
    }
    await server.simulator.inject(fault)
    let refused = await server.perform { client throws(IbkrError) in
      try await client.authStatus()
    }
    #expect(refused.error?.code == code)
    await server.pass(.seconds(15))
    // By hand there is a way back.
    let back = await server.perform(within: .seconds(10)) { client throws(IbkrError) in
      try await client.oauthInit()
      return try await client.authStatus()
    }
    #expect(try back.get().isReady)
    try await server.end()
  }

  @Test func aDeadConnectionCostsASecondSignatureAndNoError() async throws {
    let server = try await VirtualServer()
    _ = await server.perform(within: .seconds(5)) { client throws(IbkrError) in
      try await client.accounts()
    }
    server.network.forEachLink { $0.reset() }
    let before = server.tap.requests.count
    let status = await server.perform { client throws(IbkrError) in try await client.authStatus() }
    #expect(try status.get().isReady)
    let nonces = server.tap.requests.dropFirst(before).compactMap { request in
      request.authorization?.split(separator: ", ").first { $0.hasPrefix("oauth_nonce") }
    }
    #expect(Set(nonces).count == nonces.count)
    try await server.end()
  }

  // MARK: - Pacing

  @Test func aHundredCallsKeepToTheLimits() async throws {
    let server = try await VirtualServer { _ in
    } simulated: {
      $0.pacing = .enforced(penalty: .seconds(900))
    }
    let client = server.client
    let calls = (0..<100).map { number in
      Task(executorPreference: server.loop) {
        await Result { () async throws(IbkrError) in
          if number % 10 == 0 { _ = try await client.tickle() } else { try await client.accounts() }
        }
      }
    }
    await server.pass(.seconds(30))
    for call in calls { try await call.value.get() }
    let times = server.tap.requests.map(\.time)
    for (index, time) in times.enumerated() where index >= 10 {
      #expect(time - times[index - 10] >= 1_000_000_000)
    }
    #expect(await server.simulator.requests.allSatisfy { $0.status == 200 })
    try await server.end()
  }

  @Test(arguments: [45, nil])
  func after429NothingIsAskedForAWhile(_ seconds: Int?) async throws {
    let server = try await VirtualServer()
    _ = await server.perform(within: .seconds(5)) { client throws(IbkrError) in
      try await client.accounts()
    }
    await server.simulator.inject(
      .tooManyRequests(for: .seconds(10), retryAfter: seconds.map { .seconds($0) })
    )
    let refused = await server.perform { client throws(IbkrError) in
      try await client.authStatus()
    }
    #expect(refused.error?.code == .rateLimited)
    #expect(refused.error?.retryAfter == seconds.map { .seconds($0) })
    let before = server.tap.requests.count
    // What is not sent is told as well, with the time that is left.
    let kept = await server.perform { client throws(IbkrError) in try await client.authStatus() }
    #expect(kept.error?.code == .rateLimited)
    let left = try #require(kept.error?.retryAfter)
    #expect(left > .seconds((seconds ?? 60) - 3) && left < .seconds(seconds ?? 60))
    #expect(server.tap.requests.count == before)
    await server.pass(.seconds(seconds ?? 60))
    let status = await server.perform { client throws(IbkrError) in try await client.authStatus() }
    #expect(try status.get().isReady)
    try await server.end()
  }
}
