// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import OAuth1a
import Transport

extension IbkrClient {
  /// The value of the `Authorization` header of a call; nil for a gateway, which wants none.
  ///
  /// - Throws: ``IbkrError`` with `authentication` if there is no live session token.
  func authorization(
    _ method: HTTPMethod,
    _ url: WebURL,
    _ query: [(name: String, value: String)]
  ) async throws(IbkrError) -> String? {
    guard let oauth = configuration.oauth else { return nil }
    guard let token = session.token else {
      throw IbkrError(
        .authentication,
        "there is no live session token",
        at: "\(method.name) \(url.path)",
        remedy: oauth.initOAuth
          ? "log in again with oauthInit()" : "call generateLiveSessionToken() first"
      )
    }
    let signature = await Self.sign(
      with: token,
      method: method.name,
      url: url.origin + url.path,
      query: query.map { OAuthParameter($0.name, $0.value) },
      signing: oauth.signsQuery ? .inParameters : .omitted,
      timestamp: session.takeTimestamp(loop.timestamp())
    )
    do throws(OAuth1aError) { return try signature.get() } catch {
      throw IbkrError(error, at: "\(method.name) \(url.path)")
    }
  }

  @concurrent
  private static func sign(
    with token: LiveSessionToken,
    method: String,
    url: String,
    query: [OAuthParameter],
    signing: LiveSessionToken.QuerySigning,
    timestamp: Int64
  ) async -> Result<String, OAuth1aError> {
    Result { () throws(OAuth1aError) in
      try token.authorization(
        method: method,
        url: url,
        query: query,
        signing: signing,
        stamp: .fresh(at: timestamp)
      )
    }
  }

  /// Reads the keys and signs the request for a live session token.
  @concurrent
  static func tokenRequest(
    _ oauth: OAuth1aConfig,
    url: String,
    timestamp: Int64
  ) async -> Result<LiveSessionTokenRequest, IbkrError> {
    Result { () throws(IbkrError) in
      let credentials = try oauth.credentials()
      do throws(OAuth1aError) {
        return try LiveSessionTokenRequest(
          credentials,
          url: url,
          stamp: .fresh(at: timestamp),
          exponent: Secret(bytes: RequestStamp.random(count: 32))
        )
      } catch {
        throw IbkrError(error, at: url)
      }
    }
  }

  /// Computes the token, and checks it against the server's signature.
  @concurrent
  static func token(
    _ request: LiveSessionTokenRequest,
    response: String,
    signature: String,
    expiration: Int64
  ) async -> Result<LiveSessionToken, OAuth1aError> {
    Result { () throws(OAuth1aError) in
      try request.token(response: response, signature: signature, expiration: expiration)
    }
  }
}

extension IbkrError {
  /// The error of a step of OAuth that failed on this side.
  init(_ error: OAuth1aError, at place: String) {
    let code: Code =
      switch error.code {
      case .validationFailed: .authentication
      case .invalidResponse: .unexpectedAnswer
      default: .invalidConfiguration
      }
    self.init(code, "\(error)", at: place)
  }
}
