// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow
import OAuth1a

/// The door of api.ibkr.com: lets in what is signed as it must be.
struct OAuthGate: Sendable {
  private let user: SimulatedUser
  /// The token of the session; nil before the first and after a logout.
  private(set) var token: LiveSessionToken?
  // Two generations, so that memory is bounded and recent nonces are never forgotten.
  private var nonces: Set<String> = []
  private var olderNonces: Set<String> = []

  /// How long a token lives, in milliseconds.
  private let lifetime: Int64

  init(_ user: SimulatedUser, lifetime: Int64) {
    self.user = user
    self.lifetime = lifetime
  }

  /// How far a client's clock may be off, in seconds.
  static let tolerance: Int64 = 300

  /// Whether there is a token that has not ended.
  func hasSession(at now: Timestamp) -> Bool {
    token.map { $0.expiration > now.milliseconds } ?? false
  }

  /// Forgets the token, so that a client has to ask for another one.
  mutating func endSession() { token = nil }

  /// Whether an `oauth_token` of a WebSocket's address is the user's.
  func knows(accessToken: String) -> Bool { Secret(accessToken) == user.accessToken }

  /// Looks at a request.
  ///
  /// - Returns: The answer to one that is not let in, or to one for a token; nil to let it in.
  mutating func answer(_ request: GatewayRequest, at now: Timestamp) -> GatewayResponse? {
    // The edge refuses what has no User-Agent before anybody looks at signatures.
    guard request.hasUserAgent else { return .forbidden }
    let isForToken = request.path == "/oauth/live_session_token"
    guard let header = request.authorization,
      let parameters = try? AuthorizationHeader.parameters(of: header)
    else { return Self.refusal("missing Authorization header") }
    if let complaint = check(parameters, isForToken: isForToken, at: now) {
      return Self.refusal(complaint)
    }
    if isForToken {
      return issue(request, parameters, at: now)
    }
    guard let token, hasSession(at: now) else {
      return Self.refusal("invalid session")
    }
    return accepts(request, parameters, token) ? nil : Self.refusal("invalid signature")
  }

  private mutating func check(
    _ parameters: [String: String],
    isForToken: Bool,
    at now: Timestamp
  ) -> String? {
    guard parameters["oauth_consumer_key"] == user.consumerKey else { return "invalid consumer" }
    guard let accessToken = parameters["oauth_token"], knows(accessToken: accessToken) else {
      return "invalid access token"
    }
    guard parameters["realm"] == user.realm else { return "invalid realm" }
    let method = isForToken ? "RSA-SHA256" : "HMAC-SHA256"
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

  /// Gives out a live session token: the server's half of section 2.4.
  private mutating func issue(
    _ request: GatewayRequest,
    _ parameters: [String: String],
    at now: Timestamp
  ) -> GatewayResponse {
    let base = SignatureBase(
      method: request.method,
      url: request.url,
      parameters: Self.signed(parameters),
      prepend: Hexadecimal.encode(user.secret.exposedBytes)
    )
    guard let signature = Self.signature(parameters),
      user.signatureKey.accepts(signature: signature, of: Array(base.text.utf8))
    else { return Self.refusal("invalid signature") }
    do throws(CryptoError) {
      let prime = try UnsignedInteger(hexadecimal: user.prime)
      let challenge = try UnsignedInteger(
        hexadecimal: parameters["diffie_hellman_challenge"] ?? ""
      )
      guard challenge > UnsignedInteger(bytes: [1]), challenge < prime else {
        return Self.refusal("invalid challenge")
      }
      let exponent = UnsignedInteger(bytes: try SecureRandom.bytes(count: 32))
      let shared = try challenge.raised(to: exponent, modulo: prime)
      let response = try UnsignedInteger(bytes: [2]).raised(to: exponent, modulo: prime)
      let token = LiveSessionToken(
        key: Secret(
          bytes: try HMAC.authenticate(
            user.secret.exposedBytes,
            key: shared.twosComplementBytes,
            .sha1
          )
        ),
        expiration: now.milliseconds + lifetime,
        consumerKey: user.consumerKey,
        accessToken: user.accessToken,
        realm: user.realm
      )
      self.token = token
      let hash = Hexadecimal.encode(try token.validationHash())
      return .json(
        #"{"diffie_hellman_response":"\#(response.hexadecimal)","#
          + #""live_session_token_signature":"\#(hash)","#
          + #""live_session_token_expiration":\#(token.expiration)}"#
      )
    } catch {
      return Self.refusal("LST failed")
    }
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
    let bases = [
      SignatureBase(method: request.method, url: request.url, parameters: own + query),
      SignatureBase(method: request.method, url: request.url, parameters: own),
      SignatureBase(method: request.method, url: request.urlWithQuery, parameters: own),
    ]
    return bases.contains { base in
      guard let expected = try? Base64.decode(token.signature(of: base)) else { return false }
      return SecureMemory.areEqual(expected, given)
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

  private static func refusal(_ reason: String) -> GatewayResponse {
    .error("id: 3931, error: \(reason)", status: 401)
  }
}
