// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import OAuth1a

/// A request token on its way to an access token.
struct Consent: Sendable {
  /// Where the browser is sent back to, or `oob`.
  let callback: String
  /// What proves the user's consent; nil before it.
  var verifier: String?
}

/// The way of a third party to its access token (protocol reference, section 2.7).
extension OAuthGate {
  /// Step 1, `oauth/request_token`.
  mutating func issueRequestToken(
    _ request: GatewayRequest,
    _ parameters: [String: String]
  ) -> GatewayResponse {
    guard let callback = parameters["oauth_callback"] else {
      return Self.refusal("missing oauth_callback")
    }
    guard isSigned(request, parameters), let token = Self.randomToken() else {
      return .unauthorized
    }
    // Nobody has so many requests under way.
    if requestTokens.count >= 1_000 { requestTokens.removeAll() }
    requestTokens[token] = Consent(callback: callback)
    return .json(#"{"oauth_token":"\#(token)"}"#)
  }

  /// Step 2: what a person does in the browser.
  ///
  /// IBKR's page stands on another host; the simulator has it among its own paths, as
  /// `GET /v1/api/oauth/authorize?oauth_token=…`, and everybody consents.
  mutating func consent(_ request: GatewayRequest) -> GatewayResponse {
    guard let token = request.query["oauth_token"], let consent = requestTokens[token],
      let verifier = Self.randomToken()
    else { return .notFound }
    requestTokens[token]?.verifier = verifier
    let page = consent.callback == "oob" ? "/" : consent.callback
    return .redirection("\(page)?oauth_token=\(token)&oauth_verifier=\(verifier)")
  }

  /// Step 3, `oauth/access_token`: the same token each time, with another secret.
  mutating func issueAccessToken(
    _ request: GatewayRequest,
    _ parameters: [String: String]
  ) -> GatewayResponse {
    for name in ["oauth_token", "oauth_verifier"] where parameters[name] == nil {
      return Self.refusal("missing \(name)")
    }
    let token = parameters["oauth_token"] ?? ""
    guard isSigned(request, parameters), let verifier = requestTokens[token]?.verifier,
      verifier == parameters["oauth_verifier"],
      let plaintext = try? SecureRandom.bytes(count: 32),
      let ciphertext = try? user.encryptionKey.encrypt(plaintext)
    else { return .unauthorized }
    requestTokens[token] = nil
    secret = Secret(bytes: plaintext)
    return .json(
      #"{"is_paper":true,"oauth_token":"\#(user.accessToken.exposedText)","#
        + #""oauth_token_secret":"\#(Base64.encode(ciphertext))"}"#
    )
  }

  private static func randomToken() -> String? {
    (try? SecureRandom.bytes(count: 10)).map { Hexadecimal.encode($0) }
  }
}
