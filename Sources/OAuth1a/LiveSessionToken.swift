// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import Crypto

/// The key of an OAuth session: signs every request for 24 hours.
package struct LiveSessionToken: Sendable {
  /// Whether and how the query of a request is signed; all three are known to work.
  package enum QuerySigning: Sendable, Hashable {
    /// The query's parameters join the sorted list, as IBKR's guide has it.
    case inParameters
    /// The query is left out, as IBind does it.
    case omitted
    /// The URL is signed with its query.
    case inURL
  }

  /// The 20 bytes of the token.
  package let key: Secret
  /// Unix time in milliseconds after which the server refuses the token.
  package let expiration: Int64
  private let consumerKey: String
  private let accessToken: Secret
  private let realm: String

  /// Takes a token that is known already.
  ///
  /// - Parameters:
  ///   - key: The 20 bytes of the token.
  ///   - expiration: Unix time in milliseconds.
  ///   - consumerKey: The consumer key.
  ///   - accessToken: The access token.
  ///   - realm: The realm.
  package init(
    key: Secret,
    expiration: Int64,
    consumerKey: String,
    accessToken: Secret,
    realm: String
  ) {
    self.key = key
    self.expiration = expiration
    self.consumerKey = consumerKey
    self.accessToken = accessToken
    self.realm = realm
  }

  /// Signs a request.
  ///
  /// JSON bodies take no part in it.
  ///
  /// - Parameters:
  ///   - method: The HTTP method in capitals.
  ///   - url: The URL without its query.
  ///   - query: The query's parameters, raw.
  ///   - signing: What becomes of the query.
  ///   - stamp: Nonce and time of this attempt; a repeated attempt needs new ones.
  /// - Returns: The value of the `Authorization` header, which holds the access token.
  /// - Throws: `failed` if OpenSSL fails.
  package func authorization(
    method: String,
    url: String,
    query: [OAuthParameter] = [],
    signing: QuerySigning = .inParameters,
    stamp: RequestStamp
  ) throws(OAuth1aError) -> String {
    let base = base(method: method, url: url, query: query, signing: signing, stamp: stamp)
    return AuthorizationHeader.value(
      realm: realm,
      parameters: base.parameters.filter { !query.contains($0) },
      signature: try signature(of: base)
    )
  }

  /// What `authorization` signs.
  package func base(
    method: String,
    url: String,
    query: [OAuthParameter],
    signing: QuerySigning,
    stamp: RequestStamp
  ) -> SignatureBase {
    var url = url
    if signing == .inURL, !query.isEmpty {
      url += "?" + query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }
    return SignatureBase(
      method: method,
      url: url,
      parameters: stamp.parameters + [
        OAuthParameter("oauth_consumer_key", consumerKey),
        OAuthParameter("oauth_signature_method", "HMAC-SHA256"),
        OAuthParameter("oauth_token", accessToken.exposedText),
      ] + (signing == .inParameters ? query : [])
    )
  }

  /// The HMAC-SHA256 of a base string, in base64.
  package func signature(of base: SignatureBase) throws(OAuth1aError) -> String {
    do throws(CryptoError) {
      return Base64.encode(
        try HMAC.authenticate(Array(base.text.utf8), key: key.exposedBytes, .sha256)
      )
    } catch {
      throw OAuth1aError(.failed, "a request could not be signed", underlying: error)
    }
  }

  /// What the server signs to show that it has computed the same token.
  package func validationHash() throws(CryptoError) -> [UInt8] {
    try HMAC.authenticate(Array(consumerKey.utf8), key: key.exposedBytes, .sha1)
  }
}
