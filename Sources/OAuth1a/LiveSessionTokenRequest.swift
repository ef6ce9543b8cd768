// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// The request for a live session token, and the half of the key exchange that stays here.
///
/// Steps 1 to 13 of the protocol reference, section 2.4. Time, nonce and random bits come in from
/// outside, so the same inputs give the same request.
package struct LiveSessionTokenRequest: Sendable {
  /// What is signed; begins with the decrypted secret.
  package let base: SignatureBase
  /// The value of the `Authorization` header.
  package let authorization: String
  private let credentials: OAuth1aCredentials
  private let exponent: Secret

  /// Makes and signs the request.
  ///
  /// - Parameters:
  ///   - credentials: Who asks.
  ///   - url: The endpoint's full URL.
  ///   - stamp: Nonce and time of this attempt.
  ///   - exponent: 32 random bytes, never used again.
  /// - Throws: `failed` if OpenSSL fails.
  package init(
    _ credentials: OAuth1aCredentials,
    url: String,
    stamp: RequestStamp,
    exponent: Secret
  ) throws(OAuth1aError) {
    self.credentials = credentials
    self.exponent = exponent
    do throws(CryptoError) {
      let challenge = try credentials.generator.raised(
        to: UnsignedInteger(bytes: exponent.exposedBytes),
        modulo: credentials.prime
      )
      base = SignatureBase(
        method: "POST",
        url: url,
        parameters: stamp.parameters + [
          OAuthParameter("diffie_hellman_challenge", challenge.hexadecimal),
          OAuthParameter("oauth_consumer_key", credentials.consumerKey),
          OAuthParameter("oauth_signature_method", "RSA-SHA256"),
          OAuthParameter("oauth_token", credentials.accessToken.exposedText),
        ],
        prepend: Hexadecimal.encode(credentials.secret.exposedBytes)
      )
      authorization = AuthorizationHeader.value(
        realm: credentials.realm,
        parameters: base.parameters,
        signature: Base64.encode(try credentials.signatureKey.signature(of: Array(base.text.utf8)))
      )
    } catch {
      throw OAuth1aError(
        .failed,
        "the request for a live session token could not be signed",
        underlying: error
      )
    }
  }

  /// Computes the token from the server's answer, and checks it against the server's signature.
  ///
  /// - Parameters:
  ///   - response: `diffie_hellman_response`, hexadecimal of any length and case.
  ///   - signature: `live_session_token_signature`, hexadecimal.
  ///   - expiration: `live_session_token_expiration`, Unix milliseconds.
  /// - Returns: The token.
  /// - Throws: `invalidResponse` if the answer cannot be the server's half of the exchange;
  ///   `validationFailed` if the token does not fit the signature.
  package func token(
    response: String,
    signature: String,
    expiration: Int64
  ) throws(OAuth1aError) -> LiveSessionToken {
    let half = try? UnsignedInteger(hexadecimal: response)
    let prime = credentials.prime
    // 0, 1 and p - 1 give a shared secret that everybody knows. The prime is odd, so its last byte
    // can be made one less.
    let top = UnsignedInteger(bytes: prime.bytes.dropLast() + [(prime.bytes.last ?? 1) - 1])
    guard let half, half > UnsignedInteger(bytes: [1]), half < top else {
      throw OAuth1aError(
        .invalidResponse,
        "the server's answer to the Diffie-Hellman challenge is no number below the prime: is the "
          + "Diffie-Hellman prime the registered one?"
      )
    }
    let token: LiveSessionToken
    let computed: [UInt8]
    do throws(CryptoError) {
      let shared = try half.raised(
        to: UnsignedInteger(bytes: exponent.exposedBytes),
        modulo: prime
      )
      token = LiveSessionToken(
        key: Secret(
          bytes: try HMAC.authenticate(
            credentials.secret.exposedBytes,
            key: shared.twosComplementBytes,
            .sha1
          )
        ),
        expiration: expiration,
        consumerKey: credentials.consumerKey,
        accessToken: credentials.accessToken,
        realm: credentials.realm
      )
      computed = try token.validationHash()
    } catch {
      throw OAuth1aError(
        .failed,
        "the live session token could not be computed",
        underlying: error
      )
    }
    guard let expected = try? Hexadecimal.decode(signature),
      SecureMemory.areEqual(computed, expected)
    else {
      throw OAuth1aError(
        .validationFailed,
        "the live session token does not fit the server's signature: the Diffie-Hellman prime is "
          + "not the registered one, the keys are swapped, or the access token secret is an old one"
      )
    }
    return token
  }
}

// The base string begins with the decrypted secret.
extension LiveSessionTokenRequest: CustomStringConvertible, CustomReflectable {
  /// Names the request only.
  package var description: String { "request for a live session token" }
  /// A mirror without children.
  package var customMirror: Mirror { Mirror(self, children: []) }
}
