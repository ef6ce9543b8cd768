// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow
import OAuth1a

/// The door of api.ibkr.com: lets in what is signed as it must be.
struct OAuthGate: Sendable {
  let user: SimulatedUser
  /// How long a token lives, in milliseconds.
  let lifetime: Int64
  /// The token of the session; nil before the first and after a logout.
  var token: LiveSessionToken?
  /// The decrypted access token secret; nil for a third party that has no access token yet.
  var secret: Secret?
  /// The request tokens of third parties, each with its callback and what the browser was given.
  var requestTokens: [String: Consent] = [:]
  // Two generations, so that memory is bounded and recent nonces are never forgotten.
  private var nonces: Set<String> = []
  private var olderNonces: Set<String> = []

  init(_ user: SimulatedUser, lifetime: Int64) {
    self.user = user
    self.lifetime = lifetime
    secret = user.isThirdParty ? nil : user.secret
  }

  /// How far a client's clock may be off, in seconds.
  static let tolerance: Int64 = 300

  /// What a request is about, which decides how it is signed.
  private enum Purpose {
    case requestToken, accessToken, liveSessionToken, resource

    init(_ path: String) {
      switch path {
      case "/oauth/request_token": self = .requestToken
      case "/oauth/access_token": self = .accessToken
      case "/oauth/live_session_token": self = .liveSessionToken
      default: self = .resource
      }
    }
  }

  /// Whether there is a token that has not ended.
  func hasSession(at now: Timestamp) -> Bool {
    token.map { $0.expiration > now.milliseconds } ?? false
  }

  /// Forgets the token, so that a client has to ask for another one.
  mutating func endSession() { token = nil }

  /// Whether an `oauth_token` of a WebSocket's address is the user's.
  func knows(accessToken: String) -> Bool {
    secret != nil && Secret(accessToken) == user.accessToken
  }

  /// Looks at a request.
  ///
  /// - Returns: The answer to one that is not let in, or to one for a token; nil to let it in.
  mutating func answer(_ request: GatewayRequest, at now: Timestamp) -> GatewayResponse? {
    // The edge refuses what has no User-Agent before anybody looks at signatures.
    guard request.hasUserAgent else { return .forbidden }
    if request.path == "/oauth/authorize" { return consent(request) }
    guard let header = request.authorization,
      let parameters = try? AuthorizationHeader.parameters(of: header)
    else { return Self.refusal("missing Authorization header") }
    let purpose = Purpose(request.path)
    if let complaint = check(parameters, purpose, at: now) { return Self.refusal(complaint) }
    switch purpose {
    case .requestToken: return issueRequestToken(request, parameters)
    case .accessToken: return issueAccessToken(request, parameters)
    case .liveSessionToken: return issue(request, parameters, at: now)
    case .resource:
      guard let token, hasSession(at: now) else { return Self.refusal("invalid session") }
      return accepts(request, parameters, token) ? nil : Self.refusal("invalid signature")
    }
  }

  private mutating func check(
    _ parameters: [String: String],
    _ purpose: Purpose,
    at now: Timestamp
  ) -> String? {
    guard parameters["oauth_consumer_key"] == user.consumerKey else { return "invalid consumer" }
    switch purpose {
    case .requestToken, .accessToken:
      // A first party has its token from the self-service page.
      guard user.isThirdParty else { return "invalid consumer" }
    case .liveSessionToken, .resource:
      guard let accessToken = parameters["oauth_token"], knows(accessToken: accessToken) else {
        return "invalid access token"
      }
    }
    guard parameters["realm"] == user.realm else { return "invalid realm" }
    let method = purpose == .resource ? "HMAC-SHA256" : "RSA-SHA256"
    guard parameters["oauth_signature_method"] == method else { return "invalid signature method" }
    let seconds = now.milliseconds / 1_000
    guard let text = parameters["oauth_timestamp"], text.utf8.count == 10,
      let timestamp = Int64(text), abs(timestamp - seconds) <= Self.tolerance
    else { return "invalid timestamp" }
    guard let nonce = parameters["oauth_nonce"], !nonce.isEmpty, nonce.utf8.count <= 64 else {
      return "invalid nonce"
    }
    if nonces.count >= 50_000 {
      olderNonces = nonces
      nonces = []
    }
    let use = "\(timestamp) \(nonce)"
    guard !olderNonces.contains(use), nonces.insert(use).inserted else {
      return "nonce used before"
    }
    return nil
  }

  /// Whether the signature fits in one of the three ways in which clients treat the query.
  private func accepts(
    _ request: GatewayRequest,
    _ parameters: [String: String],
    _ token: LiveSessionToken
  ) -> Bool {
    guard let given = Self.signature(parameters) else { return false }
    let own = Self.signed(parameters)
    let query = request.query.map { OAuthParameter($0, $1) }
    return request.urls.contains { url in
      let whole = request.search.isEmpty ? url : "\(url)?\(request.search)"
      return [(url, own + query), (url, own), (whole, own)].contains { url, parameters in
        let base = SignatureBase(method: request.method, url: url, parameters: parameters)
        guard let expected = try? Base64.decode(token.signature(of: base)) else { return false }
        return SecureMemory.areEqual(expected, given)
      }
    }
  }

  /// Whether the RSA signature fits.
  func isSigned(
    _ request: GatewayRequest,
    _ parameters: [String: String],
    prepend: String = ""
  ) -> Bool {
    guard let signature = Self.signature(parameters) else { return false }
    return request.urls.contains { url in
      let base = SignatureBase(
        method: request.method,
        url: url,
        parameters: Self.signed(parameters),
        prepend: prepend
      )
      return user.signatureKey.accepts(signature: signature, of: Array(base.text.utf8))
    }
  }

  private static func signed(_ parameters: [String: String]) -> [OAuthParameter] {
    parameters.filter { $0.key != "realm" && $0.key != "oauth_signature" }
      .map { OAuthParameter($0, $1) }
  }

  private static func signature(_ parameters: [String: String]) -> [UInt8]? {
    parameters["oauth_signature"].flatMap { PercentEncoding.unquotePlus($0) }
      .flatMap { try? Base64.decode($0) }
  }

  /// A refusal in the words of recorded ones.
  static func refusal(_ reason: String) -> GatewayResponse {
    .error("id: 3931, error: \(reason)", status: 401)
  }
}
