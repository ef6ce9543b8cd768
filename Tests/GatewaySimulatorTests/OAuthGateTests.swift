// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow
import HTTP1
import JSON
import OAuth1a
import Testing

@testable import GatewaySimulator

@Suite struct OAuthGateTests {
  /// Keys take a moment to make, so all tests share one user.
  static let user = try? SimulatedUser()
  static let root = "https://api.example/v1/api"

  @Test func logsInOpensTheBrokerageSessionAndLogsOut() throws {
    var client = try Client()
    try client.logIn()
    #expect(try client.send("/iserver/accounts")?.status == 400)
    #expect(try client.open()?.status == 200)
    #expect(try client.send("/iserver/accounts")?.status == 200)
    #expect(try client.send("/tickle", method: "POST")?.body.contains("\"session\"") == true)
    #expect(try client.send("/logout", method: "POST")?.status == 200)
    #expect(try client.send("/tickle", method: "POST")?.status == 401)
    try client.logIn()
    #expect(try client.send("/tickle", method: "POST")?.status == 200)
  }

  @Test(arguments: [LiveSessionToken.QuerySigning.inParameters, .omitted, .inURL])
  func acceptsAllThreeWaysOfSigningAQuery(signing: LiveSessionToken.QuerySigning) throws {
    var client = try Client()
    try client.logIn()
    let query = [OAuthParameter("symbols", "AAPL,IBM")]
    #expect(try client.send("/trsrv/stocks", query: query, signing: signing)?.status == 200)
  }

  /// A header whose signature has one bit changed.
  private func flipping(bit: Int, in header: String) throws -> String {
    let start = try #require(header.firstRange(of: "oauth_signature=\"")?.upperBound)
    let end = try #require(header[start...].firstIndex(of: "\""))
    let text = try #require(PercentEncoding.unquotePlus(header[start..<end]))
    var signature = try Base64.decode(text)
    signature[bit / 8 % signature.count] ^= 1 << UInt8(bit % 8)
    return header[..<start] + PercentEncoding.quotePlus(Base64.encode(signature)) + header[end...]
  }

  @Test func refusesASignatureWithOneBitChanged() throws {
    var client = try Client()
    try client.logIn()
    #expect(
      try client.send("/tickle") { try flipping(bit: 0, in: flipping(bit: 0, in: $0)) }?
        .status == 200
    )
    for bit in 0..<256 {
      let response = try client.send("/tickle", method: "POST") { try flipping(bit: bit, in: $0) }
      #expect(response?.status == 401, "bit \(bit)")
      #expect(response?.body.contains("invalid signature") == true)
    }
  }

  @Test func refusesATokenRequestWithOneBitChanged() throws {
    var client = try Client()
    for bit in stride(from: 0, to: 2048, by: 61) {
      let header = try flipping(bit: bit, in: try client.tokenRequest().authorization)
      let response = client.desk.get(
        "/oauth/live_session_token",
        method: "POST",
        fields: try client.fields(header)
      )
      #expect(response?.status == 401, "bit \(bit)")
    }
  }

  @Test func refusesASignatureForAnotherRequest() throws {
    var client = try Client()
    try client.logIn()
    for (method, path) in [("POST", "/tickle"), ("GET", "/iserver/accounts")] {
      let authorization = try #require(client.token).authorization(
        method: "GET",
        url: Self.root + "/tickle",
        stamp: client.stamp()
      )
      let fields = try client.fields(authorization)
      let response = client.desk.get(path, method: method, fields: fields)
      #expect(response?.body.contains("invalid signature") == true)
    }
  }

  @Test func acceptsItsOwnAddressUnderAnotherHost() throws {
    // IBind says `Host: api.ibkr.com` whatever it is connected to.
    var client = try Client()
    try client.logIn()
    for (signed, status) in [("127.0.0.1:5000", 200), ("127.0.0.1:5001", 401)] {
      let authorization = try #require(client.token).authorization(
        method: "POST",
        url: "https://\(signed)/v1/api/tickle",
        stamp: client.stamp()
      )
      let request = try #require(
        GatewayRequest(
          method: "POST",
          target: "/v1/api/tickle",
          fields: try client.fields(authorization),
          ownHosts: ["127.0.0.1:5000", "localhost:5000"]
        )
      )
      let response = client.desk.gateway.respond(to: request, at: client.desk.now)
      #expect(response?.status == status, "\(signed)")
    }
  }

  @Test func refusesATokenRequestOfAnotherKey() throws {
    var client = try Client()
    let request = try client.tokenRequest()
    let other = request.authorization.replacing("oauth_nonce=\"nonce1\"", with: "oauth_nonce=\"x\"")
    let response = client.desk.get(
      "/oauth/live_session_token",
      method: "POST",
      fields: try client.fields(other)
    )
    #expect(response?.status == 401)
  }

  @Test func refusesReplays() throws {
    var client = try Client()
    try client.logIn()
    let stamp = client.stamp()
    #expect(try client.send("/tickle", stamp: stamp)?.status == 200)
    #expect(try client.send("/tickle", stamp: stamp)?.body.contains("nonce") == true)
  }

  @Test(arguments: [-301, 301, -100_000] as [Int64])
  func refusesAnotherTime(offset: Int64) throws {
    var client = try Client()
    try client.logIn()
    let stamp = client.stamp(offset: offset)
    #expect(try client.send("/tickle", stamp: stamp)?.body.contains("timestamp") == true)
  }

  @Test(arguments: [
    ("oauth_consumer_key=\"SIMULATED\"", "oauth_consumer_key=\"OTHERCONS\"", "invalid consumer"),
    ("realm=\"limited_poa\"", "realm=\"test_realm\"", "invalid realm"),
    ("HMAC-SHA256", "HMAC-SHA1", "invalid signature method"),
    ("HMAC-SHA256", "RSA-SHA256", "invalid signature method"),
    ("oauth_token=\"", "oauth_token=\"0", "invalid access token"),
    ("oauth_token=", "oauth_taken=", "invalid access token"),
    ("oauth_timestamp=\"", "oauth_timestamp=\"0", "invalid timestamp"),
    ("oauth_timestamp=\"1", "oauth_timestamp=\"x", "invalid timestamp"),
    ("oauth_nonce=\"nonce2\"", "oauth_nonce=\"\"", "invalid nonce"),
    ("oauth_nonce=\"nonce2\"", "oauth_nonce=\"another\"", "invalid signature"),
    ("oauth_signature=", "oauth_signatur=", "invalid signature"),
    ("OAuth ", "Bearer ", "missing Authorization"),
    ("oauth_nonce", "oauth_token", "missing Authorization"),
  ])
  func namesWhatIsWrong(part: String, other: String, complaint: String) throws {
    var client = try Client()
    try client.logIn()
    let response = try client.send("/tickle") { $0.replacing(part, with: other) }
    #expect(response?.status == 401)
    #expect(response?.body.contains(complaint) == true)
  }

  @Test func wantsAUserAgentAndASignature() throws {
    var client = try Client()
    #expect(client.desk.get("/tickle")?.status == 403)
    #expect(client.desk.get("/tickle", fields: try client.fields(nil))?.status == 401)
    #expect(client.desk.get("/tickle", fields: try client.fields("Bearer x"))?.status == 401)
  }

  @Test func forgetsTheTokenWhenTold() throws {
    var client = try Client()
    try client.logIn()
    client.desk.gateway.inject(.tokenLoss, at: client.desk.now)
    #expect(try client.send("/tickle")?.status == 401)
    try client.logIn()
    client.desk.pass(milliseconds: 86_400_000)
    #expect(try client.send("/tickle")?.status == 401)
  }

  @Test func admitsASocketByItsTokenAndItsCookie() throws {
    var client = try Client()
    try client.logIn()
    let token = client.credentials.accessToken.exposedText
    let session = client.desk.gateway.state.login.session
    func admission(_ target: String, _ cookie: String) throws -> Bool? {
      var fields = try client.fields(nil)
      try fields.append("Cookie", cookie)
      let request = try #require(
        GatewayRequest(method: "GET", target: "/v1/api" + target, fields: fields)
      )
      guard
        case .admitted(let knows) = client.desk.gateway.admission(
          of: request,
          at: client.desk.now
        )
      else {
        return nil
      }
      return knows
    }
    #expect(try admission("/ws", "api=\(session)") == nil)
    #expect(try admission("/ws?oauth_token=x", "api=\(session)") == nil)
    #expect(try admission("/ws?oauth_token=\(token)", "api=\(session)") == true)
    #expect(
      try admission("/ws?oauth_token=\(token)", "a=b; api={\"session\": \"\(session)\"}") == true
    )
    #expect(try admission("/ws?oauth_token=\(token)", "api=other") == false)
    #expect(try admission("/ws?oauth_token=\(token)", "x=y") == false)
  }

  @Test func writesTheFilesOfAnIBindUser() throws {
    let user = try #require(Self.user)
    let files = user.files(folder: "/keys", url: "https://127.0.0.1:1/v1/api", ca: "/ca.pem")
    let environment = try #require(files.last).content.exposedText
    #expect(environment.contains("IBIND_OAUTH1A_WS_URL=wss://127.0.0.1:1/v1/api/ws\n"))
    #expect(environment.contains("IBIND_OAUTH1A_ENCRYPTION_KEY_FP=/keys/private_encryption.pem\n"))
    #expect(files.map(\.name).contains("private_signature.pem"))
    for line in environment.split(separator: "\n") where !line.hasPrefix("IBIND_") {
      #expect(line == "REQUESTS_CA_BUNDLE=/ca.pem")
    }
  }
}
