// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import JSON
import OAuth1a
import Testing

@testable import GatewaySimulator

extension OAuthGateTests {
  /// A client that logs in as the protocol reference says.
  struct Client {
    var desk: Desk
    let credentials: OAuth1aCredentials
    var token: LiveSessionToken?
    var nonces = 0

    init(_ change: (inout GatewayState.Options) -> Void = { _ in }) throws {
      let user = try #require(OAuthGateTests.user)
      desk = Desk {
        $0.user = user
        change(&$0)
      }
      credentials = try OAuth1aCredentials(
        consumerKey: user.consumerKey,
        accessToken: user.accessToken,
        accessTokenSecret: user.accessTokenSecret,
        encryptionKeyPEM: user.encryptionKeyPEM,
        signatureKeyPEM: user.signatureKeyPEM,
        primeHexadecimal: user.prime,
        realm: user.realm
      )
    }

    mutating func stamp(offset: Int64 = 0) -> RequestStamp {
      nonces += 1
      return RequestStamp(
        nonce: "nonce\(nonces)",
        timestamp: desk.now.realtime / 1_000_000_000 + offset
      )
    }

    func fields(_ authorization: String?) throws -> HTTPFields {
      var fields = try HTTPFields([("Host", "api.example"), ("User-Agent", "test")])
      if let authorization { try fields.append("Authorization", authorization) }
      return fields
    }

    mutating func tokenRequest() throws -> LiveSessionTokenRequest {
      try LiveSessionTokenRequest(
        credentials,
        url: OAuthGateTests.root + "/oauth/live_session_token",
        stamp: stamp(),
        exponent: Secret(bytes: try RequestStamp.random(count: 32))
      )
    }

    /// Asks for a token, and does nothing with it.
    mutating func askForToken() throws -> GatewayResponse? { try ask(tokenRequest()) }

    mutating func ask(_ request: LiveSessionTokenRequest) throws -> GatewayResponse? {
      desk.get(
        "/oauth/live_session_token",
        method: "POST",
        fields: try fields(request.authorization)
      )
    }

    mutating func logIn() throws {
      let request = try tokenRequest()
      let answer = try ask(request)
      let response = try #require(answer)
      try #require(response.status == 200)
      let body = try JSONValue(parsing: Array(response.body.utf8))
      token = try request.token(
        response: try #require(body["diffie_hellman_response"]?.string),
        signature: try #require(body["live_session_token_signature"]?.string),
        expiration: Int64(try #require(body["live_session_token_expiration"]?.int))
      )
    }

    mutating func send(
      _ path: String,
      method: String = "GET",
      query: [OAuthParameter] = [],
      signing: LiveSessionToken.QuerySigning = .inParameters,
      body: String = "",
      stamp: RequestStamp? = nil,
      change: (String) throws -> String = { $0 }
    ) throws -> GatewayResponse? {
      let stamp = stamp ?? self.stamp()
      let authorization = try #require(token).authorization(
        method: method,
        url: OAuthGateTests.root + path,
        query: query,
        signing: signing,
        stamp: stamp
      )
      let list = query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
      return desk.get(
        path + (list.isEmpty ? "" : "?" + list),
        method: method,
        fields: try fields(change(authorization)),
        body: body
      )
    }

    /// Opens the brokerage session, as IBind does it.
    mutating func open() throws -> GatewayResponse? {
      try send(
        "/iserver/auth/ssodh/init",
        method: "POST",
        body: #"{"publish":true,"compete":true}"#
      )
    }

    /// A flag of `auth/status`.
    mutating func flag(_ name: String) throws -> Bool? {
      let response = try send("/iserver/auth/status", method: "POST")
      return try JSONValue(parsing: Array(try #require(response).body.utf8))[name]?.bool
    }
  }
}
