// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import Crypto

/// The two requests by which a third party gets an access token (protocol reference, section 2.7).
///
/// First-party consumers must not send them.
package struct ThirdPartyRequest: Sendable {
  /// What is signed.
  package let base: SignatureBase
  /// The value of the `Authorization` header.
  package let authorization: String

  /// Step 1, `oauth/request_token`.
  ///
  /// - Parameters:
  ///   - url: The endpoint's full URL.
  ///   - consumerKey: The consumer key.
  ///   - realm: The realm.
  ///   - callback: The registered URL, or `oob`.
  ///   - key: The signature key.
  ///   - stamp: Nonce and time of this attempt.
  /// - Returns: The signed request.
  /// - Throws: `failed` if the key cannot sign.
  package static func requestToken(
    url: String,
    consumerKey: String,
    realm: String,
    callback: String,
    key: PrivateKey,
    stamp: RequestStamp
  ) throws(OAuth1aError) -> ThirdPartyRequest {
    try ThirdPartyRequest(
      url,
      [OAuthParameter("oauth_callback", callback)],
      consumerKey,
      realm,
      key,
      stamp
    )
  }

  /// Step 3, `oauth/access_token`, after the user has confirmed in the browser.
  ///
  /// - Parameters:
  ///   - url: The endpoint's full URL.
  ///   - consumerKey: The consumer key.
  ///   - realm: The realm.
  ///   - callback: What step 1 had.
  ///   - requestToken: The answer of step 1.
  ///   - verifier: What the browser was sent back with.
  ///   - key: The signature key.
  ///   - stamp: Nonce and time of this attempt.
  /// - Returns: The signed request.
  /// - Throws: `failed` if the key cannot sign.
  package static func accessToken(
    url: String,
    consumerKey: String,
    realm: String,
    callback: String,
    requestToken: Secret,
    verifier: Secret,
    key: PrivateKey,
    stamp: RequestStamp
  ) throws(OAuth1aError) -> ThirdPartyRequest {
    try ThirdPartyRequest(
      url,
      [
        OAuthParameter("oauth_callback", callback),
        OAuthParameter("oauth_token", requestToken.exposedText),
        OAuthParameter("oauth_verifier", verifier.exposedText),
      ],
      consumerKey,
      realm,
      key,
      stamp
    )
  }

  private init(
    _ url: String,
    _ parameters: [OAuthParameter],
    _ consumerKey: String,
    _ realm: String,
    _ key: PrivateKey,
    _ stamp: RequestStamp
  ) throws(OAuth1aError) {
    base = SignatureBase(
      method: "POST",
      url: url,
      parameters: parameters + stamp.parameters + [
        OAuthParameter("oauth_consumer_key", consumerKey),
        OAuthParameter("oauth_signature_method", "RSA-SHA256"),
      ]
    )
    do throws(CryptoError) {
      authorization = AuthorizationHeader.value(
        realm: realm,
        parameters: base.parameters,
        signature: Base64.encode(try key.signature(of: Array(base.text.utf8)))
      )
    } catch {
      throw OAuth1aError(.failed, "the token request could not be signed", underlying: error)
    }
  }
}
