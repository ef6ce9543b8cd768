// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow
import HTTP1
import JSON
import OAuth1a
import Testing

@testable import GatewaySimulator

/// The way of a third party to its access token.
@Suite struct ThirdPartyTests {
  static let user = try? SimulatedUser(isThirdParty: true)

  struct Client {
    var desk: Desk
    let user: SimulatedUser
    let key: PrivateKey
    private var nonces = 0

    init() throws {
      let user = try #require(ThirdPartyTests.user)
      self.user = user
      desk = Desk { $0.user = user }
      key = try PrivateKey(pem: user.signatureKeyPEM.exposedText)
    }

    mutating func stamp() -> RequestStamp {
      nonces += 1
      return RequestStamp(
        nonce: "nonce\(nonces)",
        timestamp: desk.now.realtime / 1_000_000_000
      )
    }

    mutating func post(_ path: String, _ authorization: String) throws -> GatewayResponse? {
      let fields = try HTTPFields([
        ("Host", "api.example"), ("User-Agent", "test"), ("Authorization", authorization),
      ])
      return desk.get(path, method: "POST", fields: fields)
    }

    mutating func requestToken(
      callback: String = "https://third.example/back"
    ) throws -> GatewayResponse? {
      let request = try ThirdPartyRequest.requestToken(
        url: OAuthGateTests.root + "/oauth/request_token",
        consumerKey: user.consumerKey,
        realm: user.realm,
        callback: callback,
        key: key,
        stamp: stamp()
      )
      return try post("/oauth/request_token", request.authorization)
    }

    mutating func accessToken(_ token: String, _ verifier: String) throws -> GatewayResponse? {
      let request = try ThirdPartyRequest.accessToken(
        url: OAuthGateTests.root + "/oauth/access_token",
        consumerKey: user.consumerKey,
        realm: user.realm,
        callback: "https://third.example/back",
        requestToken: Secret(token),
        verifier: Secret(verifier),
        key: key,
        stamp: stamp()
      )
      return try post("/oauth/access_token", request.authorization)
    }

    mutating func liveSessionToken(
      _ accessToken: String,
      _ secret: String
    ) throws -> GatewayResponse? {
      let credentials = try OAuth1aCredentials(
        consumerKey: user.consumerKey,
        accessToken: Secret(accessToken),
        accessTokenSecret: Secret(secret),
        encryptionKeyPEM: user.encryptionKeyPEM,
        signatureKeyPEM: user.signatureKeyPEM,
        primeHexadecimal: user.prime,
        realm: user.realm
      )
      let request = try LiveSessionTokenRequest(
        credentials,
        url: OAuthGateTests.root + "/oauth/live_session_token",
        stamp: stamp(),
        exponent: Secret(bytes: try RequestStamp.random(count: 32))
      )
      return try post("/oauth/live_session_token", request.authorization)
    }

    mutating func consent(to token: String) throws -> GatewayResponse? {
      desk.get(
        "/oauth/authorize?oauth_token=\(token)",
        fields: try HTTPFields([("User-Agent", "browser")])
      )
    }
  }

  private func member(_ name: String, of response: GatewayResponse?) throws -> String {
    let response = try #require(response)
    try #require(response.status == 200)
    return try #require(try JSONValue(parsing: Array(response.body.utf8))[name]?.string)
  }

  @Test func goesAllTheWay() throws {
    var client = try Client()
    let requested = try client.requestToken()
    let token = try member("oauth_token", of: requested)
    let redirection = try client.consent(to: token)
    let location = try #require(redirection?.location)
    #expect(redirection?.status == 302)
    let start = "https://third.example/back?oauth_token=\(token)&oauth_verifier="
    try #require(location.hasPrefix(start))
    let verifier = String(location.dropFirst(start.count))
    let given = try client.accessToken(token, verifier)
    let accessToken = try member("oauth_token", of: given)
    let secret = try member("oauth_token_secret", of: given)
    #expect(given?.body.contains(#""is_paper":true"#) == true)
    #expect(try client.liveSessionToken(accessToken, secret)?.status == 200)
    // A verifier is good for one access token.
    #expect(try client.accessToken(token, verifier)?.status == 401)
  }

  @Test func withoutAnAccessTokenThereIsNoSession() throws {
    var client = try Client()
    let early = try client.liveSessionToken(
      client.user.accessToken.exposedText,
      client.user.accessTokenSecret.exposedText
    )
    #expect(early?.status == 401)
  }

  @Test func wantsTheUsersConsent() throws {
    var client = try Client()
    let requested = try client.requestToken(callback: "oob")
    let token = try member("oauth_token", of: requested)
    #expect(try client.accessToken(token, "guess")?.status == 401)
    #expect(try client.consent(to: "unknown")?.status == 404)
    let page = try client.consent(to: token)
    #expect(page?.location?.hasPrefix("/?oauth_token=\(token)&oauth_verifier=") == true)
    #expect(try client.accessToken(token, "guess")?.status == 401)
  }

  @Test func aFirstPartyHasNoBusinessHere() throws {
    var client = try OAuthGateTests.Client()
    let user = try #require(OAuthGateTests.user)
    let request = try ThirdPartyRequest.requestToken(
      url: OAuthGateTests.root + "/oauth/request_token",
      consumerKey: user.consumerKey,
      realm: user.realm,
      callback: "oob",
      key: try PrivateKey(pem: user.signatureKeyPEM.exposedText),
      stamp: client.stamp()
    )
    let response = client.desk.get(
      "/oauth/request_token",
      method: "POST",
      fields: try client.fields(request.authorization)
    )
    #expect(response?.status == 401)
    #expect(response?.body.contains("invalid consumer") == true)
  }

  @Test(arguments: [
    ("oauth_callback=\"oob\", ", "", "missing oauth_callback"),
    ("oauth_callback=\"oob\"", "oauth_callback=\"bob\"", ""),
  ])
  func refusesAnotherRequest(part: String, other: String, complaint: String) throws {
    var client = try Client()
    let request = try ThirdPartyRequest.requestToken(
      url: OAuthGateTests.root + "/oauth/request_token",
      consumerKey: client.user.consumerKey,
      realm: client.user.realm,
      callback: "oob",
      key: client.key,
      stamp: client.stamp()
    )
    let response = try client.post(
      "/oauth/request_token",
      request.authorization.replacing(part, with: other)
    )
    #expect(response?.status == 401)
    #expect(complaint.isEmpty || response?.body.contains(complaint) == true)
  }
}
