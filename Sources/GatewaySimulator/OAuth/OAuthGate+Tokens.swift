// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow
import OAuth1a

extension OAuthGate {
  /// Gives out a live session token: the server's half of the protocol reference, section 2.4.
  mutating func issue(
    _ request: GatewayRequest,
    _ parameters: [String: String],
    at now: Timestamp
  ) -> GatewayResponse {
    guard let secret else { return Self.refusal("LST failed") }
    guard isSigned(request, parameters, prepend: Hexadecimal.encode(secret.exposedBytes)) else {
      return Self.refusal("invalid signature")
    }
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
            secret.exposedBytes,
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
}
